// The checks of claviger doctor.
#include "app/doctor.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "app/house.hpp"
#include "app/reach.hpp"
#include "base/limits.hpp"
#include "journal/verify.hpp"
#include "net/tls.hpp"
#include "provider/provider.hpp"

namespace claviger::app {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kQuickVerifyBytes = 256ULL * 1024 * 1024;
constexpr std::uint64_t kDiskLow = 1024ULL * 1024 * 1024;
constexpr std::uint64_t kDiskOut = 64ULL * 1024 * 1024;
constexpr std::int64_t kRenewDays = 14;
constexpr int kReachMs = 3'000;
constexpr std::int64_t kBuilt = 1'767'225'600;  // 2026-01-01: a clock before it is wrong

class Examination {
 public:
  explicit Examination(const DoorOptions& options) : options_(options) {}

  std::vector<Finding> run() {
    if (!directory()) return std::move(findings_);
    files();
    disk();
    clock();
    descriptors();
    memory();
    cores();
    configuration();
    certificate();
    state();
    upstreams();
    journal();
    return std::move(findings_);
  }

 private:
  void note(std::string check, Level level, std::string what) {
    findings_.push_back({std::move(check), level, std::move(what)});
  }

  bool directory() {
    struct stat facts{};
    if (::stat(options_.data.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode)) {
      note("directory", Level::fail,
           fmt::format("{} is not a directory: make one with 'claviger init'", options_.data));
      return false;
    }
    if (facts.st_uid != ::geteuid())
      note("directory", Level::fail,
           fmt::format("{} belongs to user {}, not to this one ({})", options_.data, facts.st_uid,
                       ::geteuid()));
    else if ((facts.st_mode & 077) != 0)
      note("directory", Level::fail, fmt::format("others can enter {0}: chmod 700 {0}", options_.data));
    else
      note("directory", Level::ok, fmt::format("{} is closed to others", options_.data));
    return true;
  }

  void files() {
    std::vector<std::string> open;
    std::error_code error;
    for (const auto& entry : fs::recursive_directory_iterator(options_.data, error)) {
      struct stat facts{};
      if (::lstat(entry.path().c_str(), &facts) != 0 || S_ISSOCK(facts.st_mode)) continue;
      if (S_ISLNK(facts.st_mode) || (facts.st_mode & 077) != 0) open.push_back(entry.path().string());
    }
    if (error)
      note("permissions", Level::fail,
           fmt::format("{} cannot be listed: {}", options_.data, error.message()));
    else if (open.empty())
      note("permissions", Level::ok, "all files are closed to others");
    else
      note("permissions", Level::fail,
           fmt::format("{} files are open to others or links, the first is {}: chmod go= "
                       "them",
                       open.size(), open.front()));
  }

  void disk() {
    struct statvfs facts{};
    if (::statvfs(options_.data.c_str(), &facts) != 0) return;
    const std::uint64_t free = facts.f_bavail * facts.f_frsize;
    const Level level = free < kDiskOut ? Level::fail : free < kDiskLow ? Level::warn : Level::ok;
    note("disk", level,
         fmt::format("{} MiB free{}", free / 1024 / 1024,
                     level == Level::ok ? "" : ": with a full disk nothing may be spent"));
  }

  void clock() {
    const Time now = SystemClock().now();
    timex state{};
    const bool synchronised = ::adjtimex(&state) >= 0 && (state.status & STA_UNSYNC) == 0;
    if (now.ns / 1'000'000'000 < kBuilt)
      note("clock", Level::fail,
           fmt::format("the clock says {}, which is before this program was written", format_time(now)));
    else if (!synchronised)
      note("clock", Level::warn,
           fmt::format("{}; the kernel does not know it as synchronised: budgets and expiry follow "
                       "this clock, run an NTP client",
                       format_time(now)));
    else
      note("clock", Level::ok, fmt::format("{}, synchronised", format_time(now)));
  }

  void descriptors() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const auto wanted = 2 * limits::kConnections + 1024;  // a connection to each side
    if (limit.rlim_max < 4096)
      note("descriptors", Level::fail,
           fmt::format("at most {} open files: raise LimitNOFILE to {}", limit.rlim_max, wanted));
    else if (limit.rlim_max < wanted)
      note("descriptors", Level::warn,
           fmt::format("at most {} open files carry {} connections: raise LimitNOFILE to {}", limit.rlim_max,
                       limit.rlim_max / 2, wanted));
    else
      note("descriptors", Level::ok, fmt::format("up to {} open files", limit.rlim_max));
  }

  void memory() {
    switch (SecretArena().protection()) {
      case SecretArena::Protection::hidden:
        return note("memory", Level::ok,
                    "secrets lie in memory hidden from the kernel's own map (memfd_secret)");
      case SecretArena::Protection::locked:
        return note("memory", Level::ok,
                    "secrets lie in locked memory; memfd_secret is not offered by this kernel");
      case SecretArena::Protection::exposed:
        return note("memory", Level::warn,
                    "secrets may reach swap: raise LimitMEMLOCK to 8M or turn swap off");
    }
  }

  void cores() {
    rlimit limit{};
    ::getrlimit(RLIMIT_CORE, &limit);
    std::string pattern;
    std::ifstream("/proc/sys/kernel/core_pattern") >> pattern;
    if (limit.rlim_cur == 0) return note("core dumps", Level::ok, "off");
    // A piped handler gets the dump whatever the limit is, so only the process's own setting helps; serve
    // makes it.
    note("core dumps", Level::ok,
         fmt::format("on in this shell (pattern {}); serve turns them off for itself", pattern));
  }

  void configuration() {
    const std::string path = config_path(options_.config, options_.data);
    auto config = load_config(path, options_.data);
    if (!config) return note("configuration", Level::fail, std::string(told(config.error())));
    config_ = std::move(*config);
    note("configuration", Level::ok, path.empty() ? "none, defaults hold" : path);
  }

  void certificate() {
    if (config_.tls_cert.empty()) return;
    const auto end = net::certificate_end(config_.tls_cert);
    if (!end) return note("certificate", Level::fail, std::string(told(end.error())));
    const std::int64_t days = (end->ns - SystemClock().now().ns) / 86'400'000'000'000;
    const Level level = end->ns <= SystemClock().now().ns ? Level::fail
                        : days < kRenewDays               ? Level::warn
                                                          : Level::ok;
    note("certificate", level,
         fmt::format("{} ends {}{}", config_.tls_cert, format_time(*end),
                     level == Level::ok ? "" : ": renew it, then send SIGHUP to the server"));
  }

  // Every place a credential may be sent to, looked at once.
  void upstreams() {
    for (const std::string& url : base_urls_) {
      const auto base = provider::parse_base_url(url);
      if (!base) continue;  // the vault's own check has told
      const auto reached = reach(base->host, base->port, kReachMs);
      if (reached)
        note("upstream", Level::ok, fmt::format("{} answers", url));
      else
        note("upstream", Level::warn,
             fmt::format("{} cannot be reached from here ({}): calls to it will fail", url,
                         reached.error().detail));
    }
  }

  void remember(const std::string& state, const std::string& base_url) {
    if (state == "enabled") base_urls_.insert(base_url);
  }

  void state() {
    const auto socket = connect_unix(options_.data + "/claviger.sock");
    if (socket && *socket >= 0) return running(*socket);
    const auto dir = store::DataDir::open(options_.data);
    if (!dir) return note("data", Level::fail, std::string(told(dir.error())));
    note("data", Level::ok, "not in use");
    auto store = store::SqliteStore::open({dir->database(), store::Durability::process, store::kDataVersion});
    if (!store) return note("store", Level::fail, std::string(told(store.error())));
    const auto whole = (*store)->check_integrity();
    if (!whole)
      return note("store", Level::fail, fmt::format("{} {}", told(whole.error()), whole.error().detail));
    note("store", Level::ok, "opens and is consistent");
    vault(*dir, **store);
  }

  void running(int socket) {
    console::ApiRequest ready;
    ready.method = "GET";
    ready.path = "/readyz";
    const auto answer = exchange(socket, ready);
    if (answer && answer->status == 200)
      note("data", Level::ok, "in use by a server that is ready");
    else if (answer)
      note("data", Level::fail, fmt::format("in use by a server that is not ready: {}", answer->body));
    else
      note("data", Level::fail, std::string(told(answer.error())));
    const auto again = connect_unix(options_.data + "/claviger.sock");
    if (!again || *again < 0) return;
    console::ApiRequest list;
    list.method = "GET";
    list.path = "/api/v1/credentials";
    const auto credentials = exchange(*again, list);
    const auto body =
        credentials ? nlohmann::json::parse(credentials->body, nullptr, false) : nlohmann::json();
    if (!body.is_object() || !body.contains("credentials")) return;
    for (const auto& one : body["credentials"]) remember(one.value("state", ""), one.value("base_url", ""));
  }

  void vault(const store::DataDir& dir, store::SqliteStore& store) {
    SystemClock clock;
    SystemRng rng;
    SecretArena arena;
    const auto unlock = make_unlock(options_.unlock, config_, dir);
    if (!unlock) return note("vault", Level::fail, std::string(told(unlock.error())));
    auto opened = vault::Vault::open(store, rng, clock, *unlock, arena);
    if (!opened) return note("vault", Level::fail, std::string(told(opened.error())));
    if (const auto all = (*opened)->list())
      for (const vault::Credential& one : *all)
        remember(std::string(vault::name_of(one.state)), one.base_url);
    const auto damaged = (*opened)->damaged_rows();
    if (!damaged) return note("vault", Level::fail, std::string(told(damaged.error())));
    if (damaged->empty()) return note("vault", Level::ok, "opens, and so does every secret in it");
    note("vault", Level::fail,
         fmt::format("{} secrets do not open, the first is {}: restore them from a backup or add "
                     "new versions",
                     damaged->size(), damaged->front()));
  }

  void journal() {
    std::uint64_t bytes = 0;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(options_.data + "/journal", error))
      if (entry.is_regular_file(error)) bytes += entry.file_size(error);
    if (bytes > kQuickVerifyBytes)
      return note("journal", Level::warn,
                  fmt::format("{} MiB are too many to look at quickly: run 'claviger journal "
                              "verify'",
                              bytes / 1024 / 1024));
    const auto journal = PosixFolder::open(options_.data + "/journal");
    const auto audit = PosixFolder::open(options_.data + "/audit");
    if (!journal || !audit) return note("journal", Level::fail, "its folders cannot be opened");
    const auto report = journal::verify(**journal, **audit);
    if (!report) return note("journal", Level::fail, std::string(told(report.error())));
    if (report->ok()) return note("journal", Level::ok, fmt::format("{} lines, whole", report->lines));
    note("journal", Level::fail,
         report->problems.empty()
             ? "is not whole: run 'claviger journal verify'"
             : fmt::format("{}: {}", report->problems.front().where, report->problems.front().what));
  }

  const DoorOptions& options_;
  Config config_;
  std::set<std::string> base_urls_;
  std::vector<Finding> findings_;
};

}  // namespace

std::string_view level_name(Level level) {
  constexpr std::string_view names[] = {"ok", "warn", "fail"};
  return names[static_cast<std::size_t>(level)];
}

std::vector<Finding> examine(const DoorOptions& options) { return Examination(options).run(); }

}  // namespace claviger::app
