// Tampering is found offline: each way to change a journal or its proof, and no alarm on one that is whole.
#include "journal/verify.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "base/file_memory.hpp"
#include "crypto/merkle.hpp"
#include "journal/checkpoint.hpp"
#include "journal/range.hpp"
#include "journal/reader.hpp"
#include "journal/tiles.hpp"
#include "journal/writer.hpp"

namespace claviger::journal {
namespace {

const std::string kFirst = "gate0-00000001-000000.jsonl";

crypto::SigningKey key(std::uint8_t seed) { return crypto::SigningKey::from_seed(Digest{seed}); }

Receipt receipt(const std::string& req, std::int64_t cost) {
  Receipt r;
  r.at = {1000};
  r.req = req, r.key = "k1", r.model = "gpt-5";
  r.cost_nanousd = {cost};
  return r;
}

// Two producers, two epochs, everything under a checkpoint.
class VerifyTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const std::uint64_t epoch : {1U, 2U}) {
      for (const std::string producer : {"gate0", "steward"}) {
        auto writer = Writer::open(journal_, producer, epoch, {{1}, "0.1.0", "process"}, 2000).value();
        for (int i = 0; i < 30; ++i) {
          writer->append(receipt("req_" + std::to_string(i), 1000 + i));
          if (i % 4 == 0) {
            ASSERT_TRUE(writer->flush());
          }
        }
        ASSERT_TRUE(writer->close({2}));
      }
    }
    seal(key(1));
  }

  // What the deriver leaves in DIR/audit.
  void seal(const crypto::SigningKey& signing, std::uint64_t lines = UINT64_MAX) {
    crypto::MerkleTree tree;
    std::string ranges;
    auto all = segments(journal_).value();
    std::ranges::sort(all, {}, [](const Segment& s) { return std::tuple(s.epoch, s.producer, s.number); });
    for (const Segment& segment : all) {
      Range range{tree.size(), 0, segment, 0, 0, 1};
      range.bytes = read_lines(journal_, segment, 0, [&](const Line& line) {
                      tree.append(crypto::merkle_leaf(as_bytes(line.text)));
                      ++range.count;
                      return tree.size() == lines ? Next::enough : Next::more;
                    }).value();
      append_range(ranges, range);
      if (tree.size() == lines) break;
    }
    audit_.overwrite("ranges.jsonl", ranges);
    audit_.overwrite("key.pub", write_verifier_key("test.example/log", key(1).public_key()));
    audit_.overwrite("checkpoint", sign_checkpoint({"test.example/log", tree.size(), tree.root()}, signing));
  }

  VerifyReport check(const VerifyOptions& options = {}) { return verify(journal_, audit_, options).value(); }
  void expect_found(const std::string& where, const VerifyOptions& options = {}) {
    const VerifyReport report = check(options);
    EXPECT_FALSE(report.ok());
    ASSERT_FALSE(report.problems.empty());
    bool named = false;
    for (const Problem& problem : report.problems) named = named || problem.where.contains(where);
    EXPECT_TRUE(named) << to_json(report);
  }

  MemoryFolder journal_, audit_;
};

TEST_F(VerifyTest, a_flipped_bit_anywhere_in_a_line_is_found) {
  const std::string whole = journal_.content(kFirst);
  for (std::size_t at = 0; at < whole.size(); at += 7) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    journal_.overwrite(kFirst, changed);
    const VerifyReport report = check();
    EXPECT_FALSE(report.ok()) << at;
    EXPECT_FALSE(report.root_ok) << at;
  }
}

TEST_F(VerifyTest, a_deleted_line_is_found) {
  std::string text = journal_.content(kFirst);
  const std::size_t begin = text.find('\n') + 1;
  text.erase(begin, text.find('\n', begin) + 1 - begin);
  journal_.overwrite(kFirst, text);
  expect_found(kFirst);
  EXPECT_GE(check().gaps, 1U);
}

TEST_F(VerifyTest, two_lines_in_each_others_place_are_found) {
  std::string text = journal_.content(kFirst);
  const std::size_t second = text.find('\n') + 1;
  const std::size_t third = text.find('\n', second) + 1;
  const std::size_t fourth = text.find('\n', third) + 1;
  journal_.overwrite(kFirst, text.substr(0, second) + text.substr(third, fourth - third) +
                                 text.substr(second, third - second) + text.substr(fourth));
  expect_found(kFirst);
  EXPECT_FALSE(check().root_ok);
}

TEST_F(VerifyTest, a_truncated_file_is_found_whether_at_a_line_or_inside_one) {
  const std::string last = name_of(segments(journal_).value().back());
  const std::string text = journal_.content(last);
  const std::size_t line = text.rfind('\n', text.size() - 2) + 1;
  for (const std::size_t end : {line, line + 5, text.size() - 1, std::size_t{0}}) {
    journal_.overwrite(last, text.substr(0, end));
    expect_found(last);
  }
  ASSERT_TRUE(journal_.remove(last));
  expect_found(last);
}

TEST_F(VerifyTest, a_forged_line_at_the_end_is_found) {
  const std::string last = name_of(segments(journal_).value().back());
  std::string text = journal_.content(last);
  append_line(text, "steward", 2, 33, receipt("req_forged", 1));
  journal_.overwrite(last, text);
  expect_found(last);
  EXPECT_EQ(check().uncovered, 1U);
}

TEST_F(VerifyTest, a_forged_line_at_the_end_of_an_older_epoch_is_found) {
  const auto all = segments(journal_).value();
  std::string older;
  for (const Segment& segment : all)
    if (segment.epoch == 1 && segment.producer == "gate0") older = name_of(segment);
  std::string text = journal_.content(older);
  const std::size_t stop = text.rfind('\n', text.size() - 2) + 1;
  text.resize(stop);  // without its stop record too
  append_line(text, "gate0", 1, 32, receipt("req_forged", 1));
  journal_.overwrite(older, text);
  expect_found(older);
}

TEST_F(VerifyTest, a_replaced_checkpoint_is_found) {
  const auto there = read_checkpoint(audit_.content("checkpoint")).value();
  Checkpoint other = there;
  other.root[0] ^= 1;
  // The signature of the true one under another statement.
  std::string note = audit_.content("checkpoint");
  const std::string root = base64(there.root);
  note.replace(note.find(root), root.size(), base64(other.root));
  audit_.overwrite("checkpoint", note);
  expect_found("audit/checkpoint");
  // Signed by the true key, but over another tree.
  audit_.overwrite("checkpoint", sign_checkpoint(other, key(1)));
  expect_found("journal");
  other = there;
  other.size -= 1;
  audit_.overwrite("checkpoint", sign_checkpoint(other, key(1)));
  EXPECT_FALSE(check().ok());
  audit_.overwrite("checkpoint", "nonsense");
  expect_found("audit/checkpoint");
  ASSERT_TRUE(audit_.remove("checkpoint"));
  expect_found("audit/checkpoint");
}

TEST_F(VerifyTest, another_signing_key_is_found) {
  const std::string pinned = audit_.content("key.pub");
  seal(key(2));
  expect_found("audit/checkpoint");
  EXPECT_FALSE(check().signature_ok);
  // With its public key put in place too, only a key kept elsewhere helps.
  audit_.overwrite("key.pub", write_verifier_key("test.example/log", key(2).public_key()));
  EXPECT_TRUE(check().ok());
  expect_found("audit/checkpoint", {pinned, {}});
}

TEST_F(VerifyTest, changed_ranges_are_found) {
  const std::string text = audit_.content("ranges.jsonl");
  const std::size_t second = text.find('\n') + 1;
  audit_.overwrite("ranges.jsonl", text.substr(second));
  expect_found("audit/ranges.jsonl");
  audit_.overwrite("ranges.jsonl", text.substr(0, second));
  expect_found("audit/ranges.jsonl");
  audit_.overwrite("ranges.jsonl", "{}\n" + text);
  expect_found("audit/ranges.jsonl");
  std::string outside = text;
  outside.replace(outside.find("gate0"), 5, "../g0");
  audit_.overwrite("ranges.jsonl", outside);
  expect_found("audit/ranges.jsonl");
}

TEST_F(VerifyTest, a_rewritten_history_is_found_with_a_checkpoint_kept_from_earlier) {
  seal(key(1), 20);
  const std::string kept = audit_.content("checkpoint");
  seal(key(1));
  EXPECT_TRUE(check({{}, kept}).ok()) << to_json(check({{}, kept}));
  // Somebody with the key and every file writes the past anew.
  std::string text = journal_.content(kFirst);
  text.replace(text.find("req_1"), 5, "req_X");
  journal_.overwrite(kFirst, text);
  seal(key(1));
  EXPECT_TRUE(check().ok());
  expect_found("earlier checkpoint", {{}, kept});
}

TEST_F(VerifyTest, a_whole_journal_is_ok_and_counted) {
  const VerifyReport report = check();
  EXPECT_TRUE(report.ok()) << to_json(report);
  EXPECT_TRUE(report.root_ok && report.signature_ok);
  EXPECT_EQ(report.lines, 128U);
  EXPECT_EQ(report.tree_size, 128U);
  EXPECT_EQ(report.producers, 2U);
  EXPECT_EQ(report.epochs, 4U);
  EXPECT_EQ(report.gaps + report.unreadable + report.torn_tails + report.uncovered + report.unclosed, 0U);
  EXPECT_TRUE(to_json(report).starts_with(R"({"ok":true,"lines":128,)"));
  EXPECT_TRUE(to_json(report).contains(R"("first_problem":null,"problems":[])"));
}

TEST_F(VerifyTest, a_running_journal_is_ok_with_lines_behind_the_checkpoint_and_one_being_written) {
  auto writer = Writer::open(journal_, "gate0", 3, {{1}, "0.1.0", "process"}).value();
  writer->append(receipt("req_new", 5));
  ASSERT_TRUE(writer->flush());
  const std::string name = "gate0-00000003-000000.jsonl";
  journal_.overwrite(name, journal_.content(name) + R"({"v":1,"p":)");
  const VerifyReport report = check();
  EXPECT_TRUE(report.ok()) << to_json(report);
  EXPECT_EQ(report.uncovered, 2U);
  EXPECT_EQ(report.torn_tails, 1U);
  EXPECT_EQ(report.unclosed, 1U);
}

TEST(checkpoint, follows_the_signed_note_format) {
  const crypto::SigningKey signing = key(7);
  const std::string note = sign_checkpoint({"example.com/log", 5, crypto::merkle_empty()}, signing);
  EXPECT_TRUE(
      note.starts_with("example.com/log\n5\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n\xe2\x80\x94 "
                       "example.com/log "));
  const VerifierKey verifier =
      read_verifier_key(write_verifier_key("example.com/log", signing.public_key())).value();
  EXPECT_EQ(verifier.key, signing.public_key());
  EXPECT_TRUE(is_signed_by(note, verifier));
  EXPECT_TRUE(is_signed_by(note.substr(0, note.find("\n\n") + 2) + "\xe2\x80\x94 witness AAAA\n" +
                               note.substr(note.find("\n\n") + 2),
                           verifier));
  EXPECT_FALSE(is_signed_by(note, {"example.com/other", verifier.key}));
  EXPECT_EQ(read_verifier_key("a+b+c").error().code, Code::corrupt);
  EXPECT_EQ(read_checkpoint("a\n05\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n").error().code,
            Code::corrupt);
}

TEST(tiles, have_the_tree_s_root_at_every_size_and_load_again) {
  MemoryFolder audit;
  Tiles tiles;
  crypto::MerkleTree tree;
  for (int i = 0; i < 70'000; ++i) {
    const Digest leaf = crypto::merkle_leaf(as_bytes(std::to_string(i)));
    tree.append(leaf);
    tiles.append(leaf);
    if (i % 997 != 0 && i != 65'535 && i != 65'536 && i != 255) continue;
    ASSERT_EQ(tiles.root(), tree.root()) << i;
    ASSERT_TRUE(tiles.write(audit));
    tiles.remove_old(audit);
    auto loaded = Tiles::load(audit, tree.size());
    ASSERT_TRUE(loaded) << i;
    ASSERT_EQ(loaded->root(), tree.root()) << i;
    tiles = std::move(*loaded);
  }
  EXPECT_EQ(audit.content("tile/0/000").size(), 8192U);
  EXPECT_EQ(audit.content("tile/1/000").size(), 8192U);
  EXPECT_EQ(audit.content("tile/0/000").substr(0, 32), as_text(crypto::merkle_leaf(as_bytes("0"))));
  EXPECT_EQ(Tiles::load(audit, tree.size()).error().code, Code::corrupt);  // no checkpoint had this size
}

TEST(tiles, are_named_as_the_layout_says) {
  EXPECT_EQ(tile_name(0, 0), "tile/0/000");
  EXPECT_EQ(tile_name(1, 1'234'067), "tile/1/x001/x234/067");
  EXPECT_EQ(tile_name(0, 1'000, 12), "tile/0/x001/000.p/12");
}

}  // namespace
}  // namespace claviger::journal
