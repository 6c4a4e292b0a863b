// TestBroker: a broker on a simulated disk in virtual time, spoken to through handle() with the wire codec as client.
// A vocabulary for tests, so that a case is a few lines; not part of the broker.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/broker.h"
#include "broker/topics.h"
#include "io/sim/sim_file_system.h"
#include "io/sim/sim_loop.h"
#include "log/data_directory.h"
#include "log/journal_format.h"
#include "wire/create_topics.h"
#include "wire/fetch.h"
#include "wire/framing.h"
#include "wire/list_offsets.h"
#include "wire/offset_commit.h"
#include "wire/produce.h"

namespace tripos::broker {

// What handle() has answered so far; none yet: it waits.
struct Pending {
  std::shared_ptr<std::optional<Answer>> answer = std::make_shared<std::optional<Answer>>();

  [[nodiscard]] bool is_answered() const { return answer->has_value(); }
  [[nodiscard]] bool is_closed() const { return is_answered() && std::holds_alternative<CloseSession>(**answer); }
  [[nodiscard]] bool is_without_answer() const { return is_answered() && std::holds_alternative<NoAnswer>(**answer); }
  [[nodiscard]] Buffer frame() const {
    EXPECT_TRUE(is_answered() && std::holds_alternative<wire::Output>(**answer));
    if (!is_answered() || !std::holds_alternative<wire::Output>(**answer)) return {};
    auto bytes = std::get<wire::Output>(**answer).flatten();
    EXPECT_TRUE(bytes.has_value());
    return bytes ? bytes->substr(4) : Buffer();  // without its size
  }
};

struct TestBrokerOptions {
  ConfigValues config = {};
  std::uint64_t seed = 1;
  TrimGuard trim_guard = {};
  OffsetFloor offset_floor = {};
  // Made soon and soon full.
  log::JournalOptions journal = {.half_bytes = 4 * log::journal_block, .round_bytes_max = 8000, .rounds_before = 3};
  std::unique_ptr<io::SimFileSystem> disk = {};  // none: an empty one
};

class TestBroker {
 public:
  explicit TestBroker(ConfigValues config = {}, std::uint64_t seed = 1, TrimGuard trim_guard = {})
      : TestBroker(TestBrokerOptions{.config = std::move(config), .seed = seed, .trim_guard = std::move(trim_guard)}) {}
  explicit TestBroker(TestBrokerOptions options)
      : config_(std::move(options.config)),
        trim_guard_(std::move(options.trim_guard)),
        offset_floor_(std::move(options.offset_floor)),
        journal_(options.journal),
        files_(options.disk ? std::move(options.disk) : std::make_unique<io::SimFileSystem>(options.seed)),
        loop_(std::make_unique<io::SimLoop>(options.seed)) {
    open();
  }
  ~TestBroker() { close(); }
  TestBroker(const TestBroker&) = delete;
  TestBroker& operator=(const TestBroker&) = delete;

  [[nodiscard]] Broker& broker() { return *broker_; }
  [[nodiscard]] io::SimLoop& loop() { return *loop_; }
  [[nodiscard]] io::SimFileSystem& files() { return *files_; }
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }
  [[nodiscard]] bool is_open() const { return broker_ != nullptr; }
  [[nodiscard]] const std::string& open_error() const { return open_error_; }
  // A sync failed: the process would have ended.
  [[nodiscard]] bool has_failed() const { return failed_; }

  void run() { loop_->run(); }
  void advance(std::chrono::milliseconds time) { loop_->advance(time); }

  // Ends without a word, as by kill -9, and starts anew on the same disk.
  void restart() {
    close();
    open();
  }
  // A clean stop, and a start.
  void stop_and_restart() {
    bool stopped = false;
    broker_->stop([&stopped] { stopped = true; });
    run();
    EXPECT_TRUE(stopped);
    restart();
  }
  // The power goes; the disk keeps what `survival` says.
  void cut_power(io::Survival survival, std::uint64_t seed) {
    broker_.reset();
    directory_.reset();
    loop_ = std::make_unique<io::SimLoop>(seed);
    files_ = files_->after_power_cut(survival, seed);
    open();
  }

  // Ends without a word, and leaves the disk to whoever starts next.
  [[nodiscard]] std::unique_ptr<io::SimFileSystem> leave_disk() {
    close();
    return std::move(files_);
  }

  template <typename Request>
  [[nodiscard]] Pending send(const Request& request, std::int16_t version) {
    auto frame = wire::encode_request_frame(request, version, ++correlation_id_, "test").flatten();
    EXPECT_TRUE(frame.has_value());
    return send_frame(Bytes(*frame).substr(4));
  }
  [[nodiscard]] Pending send_frame(Bytes frame) {
    Pending pending;
    broker_->handle(session_, frame, [answer = pending.answer](Answer given) {
      EXPECT_FALSE(answer->has_value()) << "answered twice";
      *answer = std::move(given);
    });
    return pending;
  }

  // The response; a failure if it has not come or is not one.
  template <typename Response>
  [[nodiscard]] static Response read(const Pending& pending, std::int16_t version) {
    kept_.push_back(std::make_unique<Buffer>(pending.frame()));  // the response has views into it
    if (kept_.size() > kept_max) kept_.pop_front();
    const auto frame = wire::decode_response_frame(*kept_.back(), Response::api_key, version);
    EXPECT_TRUE(frame.has_value());
    if (!frame) return {};
    auto response = Response::decode(frame->body, version);
    EXPECT_TRUE(response.has_value()) << response.error().text();
    return response ? std::move(*response) : Response{};
  }
  template <typename Response, typename Request>
  [[nodiscard]] Response call(const Request& request, std::int16_t version) {
    const Pending pending = send(request, version);
    run();
    return read<Response>(pending, version);
  }

  [[nodiscard]] Pending start_create_topic(const std::string& name, std::int32_t partition_count = 1, const ConfigValues& config = {}) {
    wire::CreateTopicsRequest request;
    auto& topic = request.topics.emplace_back();
    topic.name = name;
    topic.num_partitions = partition_count;
    topic.replication_factor = 1;
    for (const auto& [key, value] : config) topic.configs.push_back({.name = key, .value = value});
    return send(request, 7);
  }
  [[nodiscard]] static wire::ErrorCode created(const Pending& pending) {
    return read<wire::CreateTopicsResponse>(pending, 7).topics.at(0).error_code;
  }
  wire::ErrorCode create_topic(const std::string& name, std::int32_t partition_count = 1, const ConfigValues& config = {}) {
    const Pending pending = start_create_topic(name, partition_count, config);
    run();
    return created(pending);
  }

  [[nodiscard]] Pending start_produce(const std::string& topic, Bytes batch, std::int32_t partition = 0, std::int16_t acks = -1) {
    wire::ProduceRequest request;
    request.acks = acks;
    request.timeout_ms = 1000;
    auto& data = request.topic_data.emplace_back();
    data.name = topic;
    auto& records = data.partition_data.emplace_back();
    records.index = partition;
    records.records = batch;
    return send(request, 9);
  }
  [[nodiscard]] static wire::ProduceResponse::PartitionProduceResponse produced(const Pending& pending) {
    const auto response = read<wire::ProduceResponse>(pending, 9);
    wire::ProduceResponse::PartitionProduceResponse none;
    none.error_code = wire::ErrorCode::unknown_server_error;
    if (response.responses.empty()) return none;
    return response.responses.at(0).partition_responses.at(0);
  }
  wire::ProduceResponse::PartitionProduceResponse produce(const std::string& topic, Bytes batch, std::int32_t partition = 0) {
    const Pending pending = start_produce(topic, batch, partition);
    run();
    return produced(pending);
  }

  [[nodiscard]] static wire::FetchRequest fetch_request(const std::string& topic, std::int64_t offset, std::int32_t max_wait_ms = 0,
                                                        std::int32_t partition = 0) {
    wire::FetchRequest request;
    request.max_wait_ms = max_wait_ms;
    request.min_bytes = 1;
    request.max_bytes = 50 << 20;
    auto& asked = request.topics.emplace_back();
    asked.topic = topic;
    auto& from = asked.partitions.emplace_back();
    from.partition = partition;
    from.fetch_offset = offset;
    from.partition_max_bytes = 1 << 20;
    return request;
  }
  [[nodiscard]] wire::FetchResponse::PartitionData fetch(const std::string& topic, std::int64_t offset, std::int32_t partition = 0) {
    return call<wire::FetchResponse>(fetch_request(topic, offset, 0, partition), 11).responses.at(0).partitions.at(0);
  }
  // All values of a partition, from the start, in order, as a consumer reads them.
  [[nodiscard]] std::vector<std::string> consume(const std::string& topic, std::int32_t partition = 0) {
    std::vector<std::string> values;
    std::int64_t offset = 0;
    while (true) {
      const auto data = fetch(topic, offset, partition);
      EXPECT_EQ(data.error_code, wire::ErrorCode::none);
      const Bytes bytes = data.records.decoded_bytes();
      if (bytes.empty() || data.error_code != wire::ErrorCode::none) return values;
      RecordReader reader(64 << 20);
      for (std::size_t at = 0; at < bytes.size();) {
        const auto batch = RecordBatchView::parse(bytes.substr(at));
        if (!batch || !batch->crc_matches() || !reader.start(*batch)) {
          ADD_FAILURE() << "a fetched batch is broken";
          return values;
        }
        for (auto record = reader.next(); record && *record != nullptr; record = reader.next()) {
          if ((*record)->offset.value() < offset) continue;
          EXPECT_EQ((*record)->offset.value(), static_cast<std::int64_t>(offset));
          offset = (*record)->offset.value() + 1;
          values.emplace_back((*record)->value.value_or("(null)"));
        }
        at += batch->bytes().size();
      }
    }
  }

  // Commits `offset` of partition 0 for a group; without a member, as one that assigns its partitions itself does.
  [[nodiscard]] Pending start_commit_offset(const std::string& group, const std::string& topic, std::int64_t offset,
                                            const std::string& member = "", std::int32_t generation = -1) {
    wire::OffsetCommitRequest request;
    request.group_id = group;
    request.member_id = member;
    request.generation_id_or_member_epoch = generation;
    auto& committed = request.topics.emplace_back();
    committed.name = topic;
    auto& place = committed.partitions.emplace_back();
    place.partition_index = 0;
    place.committed_offset = offset;
    return send(request, 7);
  }
  [[nodiscard]] static wire::ErrorCode committed(const Pending& pending) {
    return read<wire::OffsetCommitResponse>(pending, 7).topics.at(0).partitions.at(0).error_code;
  }
  wire::ErrorCode commit_offset(const std::string& group, const std::string& topic, std::int64_t offset, const std::string& member = "",
                                std::int32_t generation = -1) {
    const Pending pending = start_commit_offset(group, topic, offset, member, generation);
    run();
    return committed(pending);
  }

  [[nodiscard]] wire::ListOffsetsResponse::ListOffsetsPartitionResponse list_offsets(const std::string& topic, std::int64_t timestamp) {
    wire::ListOffsetsRequest request;
    request.replica_id = -1;
    auto& asked = request.topics.emplace_back();
    asked.name = topic;
    asked.partitions.push_back({.partition_index = 0, .current_leader_epoch = -1, .timestamp = timestamp});
    return call<wire::ListOffsetsResponse>(request, 7).topics.at(0).partitions.at(0);
  }

 private:
  void open() {
    failed_ = false;
    auto directory = log::DataDirectory::acquire(*files_, "data");  // as every server does: its name is durable
    ASSERT_TRUE(directory.has_value()) << directory.error().message;
    directory_ = std::move(*directory);
    auto config = BrokerConfig::make(config_);
    ASSERT_TRUE(config.has_value()) << config.error().message;
    const Environment environment{.files = *files_,
                                  .clock = *loop_,
                                  .executor = *loop_,
                                  .background = *loop_,
                                  .fatal = [this](const Error&) { failed_ = true; },
                                  .warn = [this](std::string_view text) { warnings_.emplace_back(text); }};
    auto opened = Broker::open(
        environment, "data", {.config = std::move(*config), .offset_floor = offset_floor_, .trim_guard = trim_guard_, .journal = journal_});
    if (opened) {
      broker_ = std::move(*opened);
      broker_->set_listening_at({.host = "127.0.0.1", .port = 9092});
    } else {
      open_error_ = opened.error().message;
    }
  }
  void close() {
    broker_.reset();
    directory_.reset();
    loop_ = std::make_unique<io::SimLoop>(++restarts_);
  }

  ConfigValues config_;
  TrimGuard trim_guard_;
  OffsetFloor offset_floor_;
  log::JournalOptions journal_;
  std::unique_ptr<io::SimFileSystem> files_;
  std::unique_ptr<io::SimLoop> loop_;
  std::unique_ptr<log::DataDirectory> directory_;
  std::unique_ptr<Broker> broker_;
  std::vector<std::string> warnings_;
  std::string open_error_;
  SessionContext session_{.principal = {}, .client_host = "127.0.0.1", .client_software = {}};
  std::int32_t correlation_id_ = 0;
  std::uint64_t restarts_ = 100;
  bool failed_ = false;
  static constexpr std::size_t kept_max = 300;
  static inline thread_local std::deque<std::unique_ptr<Buffer>> kept_;
};

// What clients learn of answers, at the moment that they come: a crash is held against all that was answered before it.
class Answers {
 public:
  using Learn = std::function<void(const Pending&)>;
  void wait(Pending pending, Learn learn) { waiting_.push_back({std::move(pending), std::move(learn)}); }
  // Hands out what has come.
  void listen() {
    for (std::size_t i = 0; i < waiting_.size();) {
      if (!waiting_[i].pending.is_answered()) {
        ++i;
        continue;
      }
      const Waiting answered = std::move(waiting_[i]);
      waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
      ++count_;
      answered.learn(answered.pending);
    }
  }
  // What is under way gets no answer any more.
  void forget() { waiting_.clear(); }
  [[nodiscard]] bool any_under_way() const { return !waiting_.empty(); }
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  struct Waiting {
    Pending pending;
    Learn learn;
  };
  std::vector<Waiting> waiting_;
  std::uint64_t count_ = 0;
};

// A batch of these values, as a producer sends it.
[[nodiscard]] inline Buffer batch_of(const std::vector<std::string>& values, const RecordBatchFields& fields = {},
                                     std::int64_t timestamp_ms = 1'517'141'411'000) {
  RecordBatchBuilder builder;
  for (const std::string& value : values) builder.add(WallTime(std::chrono::milliseconds(timestamp_ms)), "key", Bytes(value));
  return builder.finish(fields);
}

[[nodiscard]] inline RecordBatchFields producer_fields(std::int64_t id, std::int16_t epoch, std::int32_t sequence) {
  RecordBatchFields fields;
  fields.producer_id = ProducerId(id);
  fields.producer_epoch = ProducerEpoch(epoch);
  fields.base_sequence = Sequence(sequence);
  return fields;
}

}  // namespace tripos::broker
