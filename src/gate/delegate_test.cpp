// Tests of petitions: a bounded number waits for the steward, and each is answered once.
#include "gate/delegate.hpp"

#include <chrono>
#include <deque>
#include <mutex>
#include <thread>

#include "gate/serve_rig_test.hpp"

namespace claviger::gate {
namespace {

class DelegateTest : public ServeTest {
 protected:
  // A steward that lets everybody wait until it is told to answer.
  void start_slow() {
    shared.counter = [this](std::shared_ptr<Petition> petition, std::function<void()> done) {
      const std::scoped_lock guard(lock);
      waiting.emplace_back(std::move(petition), std::move(done));
    };
    start();
  }
  // Until so many wait.
  void await(std::size_t count) {
    for (int tries = 0; tries < 10'000; ++tries) {
      {
        const std::scoped_lock guard(lock);
        if (waiting.size() == count) return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    FAIL() << "waited in vain for " << count << " petitions";
  }
  void answer_all() {
    const std::scoped_lock guard(lock);
    for (auto& [petition, done] : waiting) {
      petition->answer = PetitionAnswer{200, R"({"keys":[]})", {}};
      done();
    }
    waiting.clear();
  }
  std::string ask() const { return request("GET", "/claviger/v1/keys", ""); }

  std::mutex lock;
  std::vector<std::pair<std::shared_ptr<Petition>, std::function<void()>>> waiting;
};

TEST_F(DelegateTest, as_many_petitions_wait_as_may_and_the_next_is_told_to_come_again) {
  start_slow();
  std::deque<Dialer> clients;
  for (std::size_t i = 0; i + 1 < limits::kPetitions; ++i) {
    clients.emplace_back(gate->address()).send(ask());
  }
  await(limits::kPetitions - 1);
  clients.emplace_back(gate->address()).send(ask());  // the last that may
  await(limits::kPetitions);
  const Answer refused = asked(ask());
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(Json::parse(refused.body)["error"]["code"], "overloaded");
  answer_all();
  for (Dialer& client : clients) EXPECT_EQ(client.answer().status, 200);
  clients.clear();
  Dialer later = dial();
  later.send(ask());
  await(1);
  answer_all();
  EXPECT_EQ(later.answer().status, 200) << "there is room again";
  EXPECT_EQ(ended(), "refusal") << "what the steward answers is on its own record";
}

}  // namespace
}  // namespace claviger::gate
