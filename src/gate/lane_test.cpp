// Tests of a lane: what was recorded, who is cut when rights are lost, and how waiting connections end.
#include "gate/lane.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "gate/rig_test.hpp"

namespace claviger::gate {
namespace {

using namespace std::chrono_literals;

// A connected stream of the lane's loop; the other end is ours.
struct Wire {
  explicit Wire(net::Loop& loop) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
    stream = std::make_unique<net::Stream>(loop, ends[0], net::Address{});
    other = ends[1];
  }
  ~Wire() { ::close(other); }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  std::unique_ptr<net::Stream> stream;
  int other = -1;
};

net::Task<void> wait_for_record(Lane& lane, std::vector<bool>& answers, std::size_t expected) {
  const bool ok = co_await lane.recorded();
  answers.push_back(ok);
  if (answers.size() == expected) lane.loop().stop();
}

class LaneTest : public GateTest {
 protected:
  // What as many requests as `count` that wait in the same tick are told of the journal.
  std::vector<bool> recorded(std::size_t count) {
    std::vector<bool> answers;
    for (std::size_t i = 0; i < count; ++i) {
      journal->append(
          journal::Refusal{clock.at, "req_1", {}, Code::unknown_key, Origin::client, 401, {}, {}, {}});
      loop.spawn(wait_for_record(lane, answers, count));
    }
    loop.run();
    return answers;
  }
  std::unique_ptr<journal::Writer> journal = open_journal();
  const net::TlsContext tls = net::TlsContext::client("").value();
  net::Workers workers{1};
  Shared shared{clock, *ledger, *vault, pepper, tls, nullptr, workers, Durability::process, "abc"};
  net::Loop loop;
  Lane lane{loop, shared, *journal, 3};
};

TEST_F(LaneTest, nothing_counts_as_recorded_while_the_journal_cannot_be_written) {
  folder.set_capacity(0);
  EXPECT_EQ(recorded(2), (std::vector<bool>{false, false}));
  EXPECT_FALSE(journal->healthy());
  EXPECT_TRUE(records().empty());
}

TEST_F(LaneTest, with_durability_disk_nothing_counts_as_recorded_when_the_disk_fails) {
  shared.durability = Durability::disk;
  folder.fail_next_syncs(1);
  journal::Syncer syncer;
  syncer.add(journal->sync_point());
  EXPECT_EQ(recorded(1), std::vector<bool>{false});
  syncer.remove(journal->sync_point());
}

TEST_F(LaneTest, with_durability_disk_a_record_is_synced_before_the_request_goes_on) {
  shared.durability = Durability::disk;
  journal::Syncer syncer;
  syncer.add(journal->sync_point());
  EXPECT_EQ(recorded(1), std::vector<bool>{true});
  EXPECT_GE(folder.syncs(), 1u);
  EXPECT_EQ(records().size(), 1u);
  syncer.remove(journal->sync_point());
}

TEST_F(LaneTest, the_requests_of_a_tick_are_written_before_any_goes_on) {
  EXPECT_EQ(recorded(3), (std::vector<bool>{true, true, true}));
  EXPECT_EQ(records().size(), 3u);
}

TEST_F(LaneTest, a_world_in_which_a_key_lost_its_rights_cuts_its_live_requests_and_no_others) {
  const Known kept = make_key();
  const Known revoked = make_key();
  const Known frozen = make_key();
  lane.adopt(world());
  Wire a(loop), b(loop), c(loop);
  const Live first(lane, revoked.id, *a.stream);
  const Live second(lane, kept.id, *b.stream);
  const Live third(lane, frozen.id, *c.stream);
  set_state(revoked, identity::KeyState::revoked);
  set_state(frozen, identity::KeyState::frozen);
  EXPECT_FALSE(first.was_cut());
  lane.adopt(world());
  EXPECT_TRUE(first.was_cut());
  EXPECT_TRUE(a.stream->broken());
  EXPECT_FALSE(second.was_cut());
  EXPECT_FALSE(b.stream->broken());
  EXPECT_TRUE(third.was_cut());
}

TEST_F(LaneTest, a_key_that_is_gone_from_the_world_is_cut_too) {
  const Known key = make_key();
  lane.adopt(world());
  Wire wire(loop);
  const Live live(lane, key.id, *wire.stream);
  entries.clear();
  lane.adopt(world());
  EXPECT_TRUE(live.was_cut());
}

TEST_F(LaneTest, a_key_that_expires_is_cut_at_the_next_sweep) {
  Wish wish;
  wish.expires = clock.at + 1h;
  const Known key = make_key(wish);
  lane.adopt(world());
  Wire wire(loop);
  const Live live(lane, key.id, *wire.stream);
  clock.at = wish.expires;
  lane.adopt(world());
  EXPECT_TRUE(live.was_cut());
}

TEST_F(LaneTest, a_request_whose_key_lost_its_rights_while_it_was_connecting_is_cut_at_once) {
  const Known key = make_key();
  lane.adopt(world());
  set_state(key, identity::KeyState::revoked);
  lane.adopt(world());
  Wire wire(loop);
  const Live live(lane, key.id, *wire.stream);
  EXPECT_TRUE(live.was_cut());
  EXPECT_TRUE(wire.stream->broken());
}

TEST_F(LaneTest, a_request_that_has_ended_is_not_looked_at_again) {
  const Known key = make_key();
  lane.adopt(world());
  Wire wire(loop);
  {
    const Live live(lane, key.id, *wire.stream);
  }
  entries.clear();
  lane.adopt(world());
  EXPECT_FALSE(wire.stream->broken());
}

TEST_F(LaneTest, draining_closes_connections_that_wait_and_no_others) {
  Wire idle(loop), busy(loop);
  const Waiting waits(lane, *idle.stream);
  {
    const Waiting waited(lane, *busy.stream);
  }
  lane.drain();
  EXPECT_TRUE(lane.draining());
  EXPECT_TRUE(idle.stream->broken());
  EXPECT_FALSE(busy.stream->broken());
}

TEST_F(LaneTest, request_ids_differ_and_name_instance_and_lane) {
  const std::string first = lane.next_request_id();
  EXPECT_TRUE(first.starts_with("req_abc3")) << first;
  EXPECT_NE(first, lane.next_request_id());
}

}  // namespace
}  // namespace claviger::gate
