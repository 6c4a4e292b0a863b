// The coordinator over a topic in memory: what is durable when, and what a restart finds.
#include "broker/group/coordinator.h"

#include <gtest/gtest.h>

#include "io/sim/sim_loop.h"

namespace tripos::groups {
namespace {

using namespace std::chrono_literals;
using wire::ErrorCode;

struct StoredRecord {
  std::optional<Buffer> key;
  std::optional<Buffer> value;
  ProducerId producer = no_producer_id;
  std::optional<bool> ends_committed = {};
};

// What outlives a restart, and a switch that holds the disk up.
struct Disk {
  std::vector<std::vector<StoredRecord>> partitions = std::vector<std::vector<StoredRecord>>(4);
  std::vector<io::Task> unsynced;
  bool holds_syncs = false;
  ErrorCode failure = ErrorCode::none;
  std::int32_t damaged = -1;

  void sync() {
    auto tasks = std::move(unsynced);
    unsynced.clear();
    for (auto& task : tasks) task();
  }
};

class MemoryTopic final : public OffsetsTopic {
 public:
  MemoryTopic(Disk& disk, io::Executor& executor) : disk_(disk), executor_(executor) {}
  std::int32_t partition_count() const override { return static_cast<std::int32_t>(disk_.partitions.size()); }
  void append(PartitionId partition, std::vector<OffsetsTopicRecord> records, std::optional<TransactionalProducer> transaction,
              std::function<void(ErrorCode)> done) override {
    ASSERT_FALSE(records.empty());
    const ProducerId producer = transaction ? transaction->id : no_producer_id;
    auto sync = [&disk = disk_, partition, producer, records = std::move(records), done = std::move(done)] {
      if (disk.failure == ErrorCode::none) {
        auto& stored = disk.partitions.at(static_cast<std::size_t>(partition.value()));
        for (const auto& record : records) stored.push_back({record.key, record.value, producer, {}});
      }
      done(disk.failure);
    };
    if (disk_.holds_syncs) {
      disk_.unsynced.push_back(std::move(sync));
    } else {
      executor_.post(std::move(sync));
    }
  }
  Result<> read_all(PartitionId partition, const std::function<void(const OffsetsTopicEntry&)>& visit) const override {
    if (disk_.damaged == partition.value()) return fail(tripos::ErrorCode::corrupt, "partition {} is damaged", partition);
    for (const auto& record : disk_.partitions.at(static_cast<std::size_t>(partition.value()))) {
      visit({.key = record.key, .value = record.value, .transaction = record.producer, .ends_committed = record.ends_committed});
    }
    return {};
  }

 private:
  Disk& disk_;
  io::Executor& executor_;
};

class CoordinatorTest : public testing::Test {
 protected:
  CoordinatorTest() { start(); }

  LoadReport start() {
    coordinator.reset();
    coordinator = std::make_unique<GroupCoordinator>(settings, std::make_unique<MemoryTopic>(disk, loop), loop, loop);
    const LoadReport report = coordinator->load([this](std::string_view topic) { return topic != missing_topic; });
    loop.run();
    return report;
  }
  std::optional<ErrorCode> commit(std::string topic, std::int32_t partition, std::int64_t offset, std::string member = "",
                                  std::int32_t of_generation = -1) {
    auto result = std::make_shared<std::optional<ErrorCode>>();
    coordinator->commit("g", Commit{{}, std::move(member), {}, of_generation}, {{std::move(topic), partition, offset, 5, "meta"}},
                        std::nullopt, [result](ErrorCode error) { *result = error; });
    loop.run();
    return *result;
  }
  std::int64_t offset_of(const std::string& topic, std::int32_t partition) {
    const CommittedOffsets* offsets = coordinator->find_offsets("g");
    const CommittedOffset* found = offsets == nullptr ? nullptr : offsets->find(topic, partition);
    return found == nullptr ? -1 : found->offset;
  }
  // A stable group of one member, whose id is returned.
  std::string join_and_sync() {
    JoinAnswer joined;
    Join join;
    join.client_id = "kcat";
    join.session_timeout = 10s;
    join.rebalance_timeout = 10s;
    join.protocol_type = "consumer";
    join.protocols = {{"range", std::string("\0\0\0\0\0\1\0\1t\xff\xff\xff\xff", 14)}};
    coordinator->join("g", join, [&](const JoinAnswer& answer) { joined = answer; });
    loop.advance(3s);
    EXPECT_EQ(joined.error, ErrorCode::none);
    generation = joined.generation;
    SyncAnswer synced;
    coordinator->sync("g", Sync{{}, joined.member_id, {}, joined.generation, {}, {}, {{joined.member_id, "assigned"}}},
                      [&](const SyncAnswer& answer) { synced = answer; });
    loop.run();
    EXPECT_EQ(synced.assignment, "assigned");
    return joined.member_id;
  }
  ErrorCode heartbeat(const std::string& member) {
    ErrorCode result = ErrorCode::unknown_server_error;
    coordinator->heartbeat("g", Heartbeat{{}, member, {}, generation}, [&](ErrorCode error) { result = error; });
    return result;
  }
  std::optional<ErrorCode> delete_group() {
    auto result = std::make_shared<std::optional<ErrorCode>>();
    coordinator->delete_group("g", [result](ErrorCode error) { *result = error; });
    loop.run();
    return *result;
  }

  CoordinatorSettings settings;
  std::string missing_topic;
  Disk disk;
  io::SimLoop loop;
  std::unique_ptr<GroupCoordinator> coordinator;
  std::int32_t generation = -1;
};

TEST_F(CoordinatorTest, ACommitIsAnsweredAndShownWhenItIsDurable) {
  disk.holds_syncs = true;
  std::optional<ErrorCode> result;
  coordinator->commit("g", {}, {{"t", 0, 42, 5, "meta"}}, std::nullopt, [&](ErrorCode error) { result = error; });
  loop.run();
  EXPECT_FALSE(result.has_value());
  EXPECT_EQ(offset_of("t", 0), -1);
  disk.sync();
  EXPECT_EQ(result, ErrorCode::none);
  EXPECT_EQ(offset_of("t", 0), 42);
  EXPECT_EQ(coordinator->find_offsets("g")->find("t", 0)->metadata, "meta");
  EXPECT_EQ(coordinator->find_offsets("g")->find("t", 0)->leader_epoch, 5);
}

TEST_F(CoordinatorTest, AFailedCommitChangesNothing) {
  EXPECT_EQ(commit("t", 0, 1), ErrorCode::none);
  disk.failure = ErrorCode::kafka_storage_error;
  EXPECT_EQ(commit("t", 0, 2), ErrorCode::coordinator_not_available);
  disk.failure = ErrorCode::message_too_large;
  EXPECT_EQ(commit("t", 0, 2), ErrorCode::invalid_commit_offset_size);
  EXPECT_EQ(offset_of("t", 0), 1);
}

TEST_F(CoordinatorTest, OffsetsSurviveARestart) {
  EXPECT_EQ(commit("t", 0, 1), ErrorCode::none);
  EXPECT_EQ(commit("t", 0, 2), ErrorCode::none);
  EXPECT_EQ(commit("u", 3, 7), ErrorCode::none);
  EXPECT_EQ(start().offsets, 2U);
  EXPECT_EQ(offset_of("t", 0), 2);
  EXPECT_EQ(offset_of("u", 3), 7);
}

TEST_F(CoordinatorTest, MembersSurviveARestart) {
  const std::string member = join_and_sync();
  EXPECT_EQ(commit("t", 0, 5, member, generation), ErrorCode::none);
  start();
  EXPECT_EQ(coordinator->find("g")->state(), State::stable);
  EXPECT_EQ(heartbeat(member), ErrorCode::none);
  EXPECT_EQ(commit("t", 0, 6, member, generation), ErrorCode::none);
  SyncAnswer synced;
  coordinator->sync("g", Sync{{}, member, {}, generation, {}, {}, {}}, [&](const SyncAnswer& answer) { synced = answer; });
  EXPECT_EQ(synced.assignment, "assigned");
  loop.advance(10s);
  EXPECT_EQ(heartbeat(member), ErrorCode::unknown_member_id) << "its session goes on being watched";
  EXPECT_EQ(coordinator->find("g")->state(), State::empty);
  start();
  EXPECT_EQ(coordinator->find("g")->state(), State::empty) << "that it is empty is stored too";
  EXPECT_EQ(coordinator->find("g")->generation(), 2);
  EXPECT_EQ(offset_of("t", 0), 6);
}

TEST_F(CoordinatorTest, AnAssignmentIsHandedOutWhenItIsDurable) {
  JoinAnswer joined;
  Join join;
  join.session_timeout = 10s;
  join.protocol_type = "consumer";
  join.protocols = {{"range", ""}};
  coordinator->join("g", join, [&](const JoinAnswer& answer) { joined = answer; });
  loop.advance(3s);
  disk.holds_syncs = true;
  bool is_answered = false;
  coordinator->sync("g", Sync{{}, joined.member_id, {}, 1, {}, {}, {}}, [&](const SyncAnswer&) { is_answered = true; });
  loop.run();
  EXPECT_FALSE(is_answered);
  disk.sync();
  EXPECT_TRUE(is_answered);
}

TEST_F(CoordinatorTest, RequestsOfGroupsThatAreNotThere) {
  EXPECT_EQ(heartbeat("m"), ErrorCode::unknown_member_id);
  EXPECT_EQ(commit("t", 0, 1, "m", 3), ErrorCode::illegal_generation);
  EXPECT_EQ(delete_group(), ErrorCode::group_id_not_found);
  EXPECT_EQ(coordinator->find("g"), nullptr);
  JoinAnswer joined;
  Join join;
  join.member_id = "m";
  join.session_timeout = 10s;
  coordinator->join("g", join, [&](const JoinAnswer& answer) { joined = answer; });
  EXPECT_EQ(joined.error, ErrorCode::unknown_member_id);
  coordinator->join("", join, [&](const JoinAnswer& answer) { joined = answer; });
  EXPECT_EQ(joined.error, ErrorCode::invalid_group_id);
}

TEST_F(CoordinatorTest, SessionTimeoutsHaveLimits) {
  for (const milliseconds timeout : {milliseconds(5999), milliseconds(1800001)}) {
    JoinAnswer joined;
    Join join;
    join.session_timeout = timeout;
    coordinator->join("g", join, [&](const JoinAnswer& answer) { joined = answer; });
    EXPECT_EQ(joined.error, ErrorCode::invalid_session_timeout);
  }
}

TEST_F(CoordinatorTest, ADeletedGroupIsGoneForGood) {
  const std::string member = join_and_sync();
  EXPECT_EQ(commit("t", 0, 5, member, generation), ErrorCode::none);
  EXPECT_EQ(delete_group(), ErrorCode::non_empty_group);
  loop.advance(10s);
  EXPECT_EQ(delete_group(), ErrorCode::none);
  EXPECT_EQ(coordinator->find("g"), nullptr);
  EXPECT_EQ(start().groups, 0U);
  EXPECT_EQ(offset_of("t", 0), -1);
}

TEST_F(CoordinatorTest, ADeletionTakesCommitsThatAreOnTheirWay) {
  EXPECT_EQ(commit("t", 0, 5), ErrorCode::none);
  disk.holds_syncs = true;
  std::optional<ErrorCode> committed;
  std::optional<ErrorCode> deleted;
  coordinator->commit("g", {}, {{"t", 1, 42, -1, ""}}, std::nullopt, [&](ErrorCode error) { committed = error; });
  coordinator->delete_group("g", [&](ErrorCode error) { deleted = error; });
  EXPECT_FALSE(deleted.has_value()) << "answered before it is durable";
  disk.sync();
  EXPECT_EQ(committed, ErrorCode::none);
  EXPECT_EQ(deleted, ErrorCode::none);
  disk.holds_syncs = false;
  EXPECT_EQ(start().offsets, 0U);
}

TEST_F(CoordinatorTest, AFailedDeletionLeavesTheGroup) {
  EXPECT_EQ(commit("t", 0, 5), ErrorCode::none);
  disk.failure = ErrorCode::kafka_storage_error;
  EXPECT_EQ(delete_group(), ErrorCode::coordinator_not_available);
  disk.failure = ErrorCode::none;
  EXPECT_EQ(offset_of("t", 0), 5);
  EXPECT_EQ(commit("t", 0, 6), ErrorCode::none);
}

TEST_F(CoordinatorTest, OffsetsOfTopicsInUseAreNotDeleted) {
  const std::string member = join_and_sync();
  EXPECT_EQ(commit("t", 0, 5, member, generation), ErrorCode::none);
  EXPECT_EQ(commit("u", 0, 6, member, generation), ErrorCode::none);
  std::vector<ErrorCode> errors;
  coordinator->delete_offsets("g", {{"t", 0}, {"u", 0}, {"u", 9}}, [&](ErrorCode error, const std::vector<ErrorCode>& each) {
    EXPECT_EQ(error, ErrorCode::none);
    errors = each;
  });
  loop.run();
  EXPECT_EQ(errors, (std::vector{ErrorCode::group_subscribed_to_topic, ErrorCode::none, ErrorCode::none}));
  EXPECT_EQ(offset_of("t", 0), 5);
  EXPECT_EQ(offset_of("u", 0), -1);
  start();
  EXPECT_EQ(offset_of("u", 0), -1);
}

TEST_F(CoordinatorTest, OffsetsOfADeletedTopicAreForgotten) {
  EXPECT_EQ(commit("t", 0, 5), ErrorCode::none);
  EXPECT_EQ(commit("u", 0, 6), ErrorCode::none);
  disk.holds_syncs = true;
  coordinator->forget_topic("t");
  EXPECT_EQ(offset_of("t", 0), -1) << "at once: a new topic may have the name";
  disk.holds_syncs = false;
  disk.sync();
  EXPECT_EQ(start().offsets, 1U);

  missing_topic = "u";  // a crash came between the topic's deletion and the tombstones
  EXPECT_EQ(start().offsets, 0U);
  missing_topic = "";
  EXPECT_EQ(start().offsets, 0U);
}

TEST_F(CoordinatorTest, OldOffsetsExpireAndTheGroupGoesWithThem) {
  settings.offsets_retention = 1h;
  settings.offsets_retention_check_interval = 10min;
  start();
  EXPECT_EQ(commit("t", 0, 5), ErrorCode::none);
  loop.advance(59min);
  EXPECT_EQ(offset_of("t", 0), 5);
  loop.advance(11min);
  EXPECT_EQ(offset_of("t", 0), -1);
  EXPECT_EQ(coordinator->find("g"), nullptr);
  EXPECT_EQ(start().groups, 0U);
}

TEST_F(CoordinatorTest, BrokenRecordsAreSkippedAndCounted) {
  EXPECT_EQ(commit("t", 0, 5), ErrorCode::none);
  auto& partition = disk.partitions.at(static_cast<std::size_t>(coordinator->partition_of("g").value()));
  partition.push_back({std::nullopt, "x"});
  partition.push_back({encode(OffsetKey{"g", "t", 1}), "\x7f"});
  partition.push_back({std::string("\0\x9new", 5), "x"});
  const LoadReport report = start();
  EXPECT_EQ(report.skipped_records, 3U);
  EXPECT_FALSE(report.first_broken.empty());
  EXPECT_EQ(report.offsets, 1U);
}

TEST_F(CoordinatorTest, CallbacksAfterItsEndDoNothing) {
  disk.holds_syncs = true;
  bool is_called = false;
  coordinator->commit("g", {}, {{"t", 0, 1, -1, ""}}, std::nullopt, [&](ErrorCode) { is_called = true; });
  coordinator.reset();
  disk.sync();
  EXPECT_FALSE(is_called);
}

TEST(MemberId, NamesTheClientAndIsBounded) {
  Uuid unique;
  unique.bytes.fill('\x01');
  EXPECT_EQ(make_member_id("kcat", unique), "kcat-01010101-0101-0101-0101-010101010101");
  EXPECT_LT(make_member_id(std::string(40000, 'x'), unique).size(), 300U);
  EXPECT_EQ(make_member_id(std::string(248, 'x') + "é", unique), make_member_id(std::string(248, 'x'), unique)) << "no character is cut";
}

}  // namespace
}  // namespace tripos::groups
