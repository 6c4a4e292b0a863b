#include "app/cli/loading.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <utility>

#include "app/cli/load_client.h"
#include "app/cli/terminal.h"
#include "client/producer.h"
#include "client/topics.h"
#include "load/byte_source.h"
#include "load/element_reader.h"
#include "load/input_files.h"

namespace tripos::app {
namespace {

constexpr std::size_t block_bytes = std::size_t{4} << 20;
constexpr std::size_t appended_element_bytes_max = std::size_t{64} << 20;
constexpr std::uint64_t rejections_told_max = 3;

WallTime now() { return WallTime(std::chrono::duration_cast<WallClock::duration>(std::chrono::system_clock::now().time_since_epoch())); }

// Where elements go.
class Destination {
 public:
  virtual ~Destination() = default;
  // How large an element may be.
  [[nodiscard]] virtual Result<std::size_t> begin_file() = 0;
  // Why that is so.
  [[nodiscard]] virtual std::string limit_text() const { return {}; }
  [[nodiscard]] virtual Result<> add(Bytes element) = 0;
  // What was added is on its way.
  [[nodiscard]] virtual Result<> flush() = 0;
  // All of it is durable.
  [[nodiscard]] virtual Result<> end() = 0;
  virtual void tell(Loaded& loaded) const = 0;
};

// Over Kafka's protocol alone: everything is added.
class Appending final : public Destination {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Destination>> open(const LoadConnections& connections, const Loading& loading) {
    TRIPOS_ASSIGN(auto connection, connections.kafka());
    TRIPOS_ASSIGN(const client::TopicMetadata topic, client::describe_topic(connection, loading.topic, true));
    return std::make_unique<Appending>(std::move(connection), loading, static_cast<std::int32_t>(topic.partitions.size()));
  }
  Appending(client::KafkaConnection connection, const Loading& loading, std::int32_t partition_count)
      : connection_(std::move(connection)),
        partition_(loading.partition),
        producer_(connection_, loading.topic, partition_count, {.compression = loading.compression},
                  [this](std::uint64_t record_count, std::uint64_t) { acknowledged_ += record_count; }) {}

  Result<std::size_t> begin_file() override { return appended_element_bytes_max; }
  Result<> add(Bytes element) override {
    return producer_.add({.partition = partition_, .timestamp = now(), .key = {}, .value = element, .headers = {}});
  }
  Result<> flush() override { return producer_.flush(); }
  Result<> end() override { return producer_.flush(); }
  void tell(Loaded& loaded) const override { loaded.new_count = acknowledged_; }

 private:
  client::KafkaConnection connection_;
  std::optional<std::int32_t> partition_;
  std::uint64_t acknowledged_ = 0;
  client::Producer producer_;
};

// By the server's counts: what the topic lacks is added.
class Completing final : public Destination {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Destination>> open(const LoadConnections& connections, const Loading& loading) {
    TRIPOS_ASSIGN(auto http, connections.http());
    return std::make_unique<Completing>(connections, loading, std::move(http));
  }
  Completing(const LoadConnections& connections, const Loading& loading, client::HttpClient http)
      : connections_(connections), loading_(loading), http_(std::move(http)), load_(http_) {}

  Result<std::size_t> begin_file() override {
    TRIPOS_TRY(flush());
    TRIPOS_TRY(wait_until_sent());
    const LoadClient::Request request{
        .topic = loading_.topic, .id_field = loading_.id_field, .partition = loading_.partition, .compression = loading_.compression};
    ProgressLine counting(fmt::format("{}: counting what is there", loading_.topic), loading_.quiet);
    const auto count = [&](std::uint64_t counted, std::uint64_t all) { counting.show(counted, all, std::nullopt); };
    auto begun = load_.begin(request, count);
    if (!begun && begun.error().code == ErrorCode::not_found) {
      TRIPOS_ASSIGN(auto kafka, connections_.kafka());
      TRIPOS_TRY(client::describe_topic(kafka, loading_.topic, true));
      begun = load_.begin(request, count);
    }
    if (!begun) return tl::unexpected(std::move(begun).error());
    begun_ = *begun;
    return begun_.element_bytes_max;
  }
  std::string limit_text() const override {
    if (begun_.element_bytes_max + limit_slack < begun_.message_bytes_max) {
      return fmt::format("; the server takes elements of at most {} bytes this way, --append sends larger ones", begun_.element_bytes_max);
    }
    return fmt::format(
        "; topic {} takes messages of at most max.message.bytes={}: make it larger for the topic (tripos topic create {} "
        "--config max.message.bytes=N) or for all (tripos serve --set message.max.bytes=N)",
        loading_.topic, begun_.message_bytes_max, loading_.topic);
  }
  Result<> add(Bytes element) override {
    if (!block_.empty() && block_.size() + element.size() + 1 > block_bytes) TRIPOS_TRY(flush());
    block_.append(element).push_back('\n');
    return {};
  }
  Result<> flush() override {
    if (block_.empty()) return {};
    TRIPOS_TRY(wait_until_sent());
    // One block is on its way while the next is read.
    sending_ = std::async(std::launch::async, [this, full = std::exchange(block_, {})]() mutable { return load_.send(std::move(full)); });
    block_.reserve(block_bytes);
    return {};
  }
  Result<> end() override {
    TRIPOS_TRY(flush());
    TRIPOS_TRY(wait_until_sent());
    TRIPOS_ASSIGN(tally_, load_.end());
    return {};
  }
  void tell(Loaded& loaded) const override {
    loaded.new_count = tally_.new_count;
    loaded.known_count = tally_.known_count;
    loaded.uncounted = begun_.uncounted;
  }

 private:
  static constexpr std::size_t limit_slack = 1024;

  [[nodiscard]] Result<> wait_until_sent() {
    if (!sending_.valid()) return {};
    Result<> sent = sending_.get();
    tally_ = load_.tally();
    return sent;
  }

  const LoadConnections& connections_;
  const Loading& loading_;
  client::HttpClient http_;
  LoadClient load_;
  LoadClient::Begun begun_;
  LoadClient::Tally tally_;
  std::string block_;
  std::future<Result<>> sending_;  // uses load_: nothing else does while it is valid
};

// One run of load_files.
class Run {
 public:
  Run(const Loading& loading, Destination& destination, const load::InputFiles& files, Loaded& loaded)
      : loading_(loading),
        destination_(destination),
        loaded_(loaded),
        progress_(loading.topic, loading.quiet),
        size_bytes_(files.size_bytes) {}

  // What ends everything: the server, or an interruption. What is wrong with the file is told and kept as broken().
  [[nodiscard]] Result<> load(const std::string& path) {
    TRIPOS_ASSIGN(load::ByteSource source, load::ByteSource::open(path, loading_.cancelled));
    TRIPOS_ASSIGN(const std::size_t element_size_max, destination_.begin_file());
    Result<> sent;
    const auto add = [&](Bytes element) -> Result<> {
      sent = destination_.add(element);
      return sent;
    };
    load::ElementReader reader(element_size_max, {.element = add, .rejected = [&](Bytes line, const Error& why) -> Result<> {
                                                    note_rejected(source.name(), why);
                                                    return add(line);
                                                  }});
    Result<> outcome = read(source, reader);
    TRIPOS_TRY(sent);
    bytes_before_ += source.position_bytes();
    if (!outcome) {
      if (outcome.error().code == ErrorCode::cancelled) return outcome;
      TRIPOS_TRY(destination_.flush());
      note_broken(source.name(), outcome.error());
    }
    return {};
  }

  [[nodiscard]] const std::optional<Error>& broken() const noexcept { return broken_; }

 private:
  Result<> read(load::ByteSource& source, load::ElementReader& reader) {
    while (true) {
      // Somebody types, or a pipe trickles: what is there goes out.
      if (source.size_bytes() == 0 && source.would_wait()) TRIPOS_TRY(destination_.flush());
      TRIPOS_ASSIGN(const Bytes bytes, source.read());
      if (bytes.empty()) return reader.finish();
      TRIPOS_TRY(reader.feed(bytes));
      loaded_.bytes_read = bytes_before_ + source.position_bytes();
      destination_.tell(loaded_);
      progress_.show(loaded_.bytes_read, size_bytes_, loaded_.new_count + loaded_.known_count);
    }
  }

  void note_rejected(const std::string& name, const Error& why) {
    ++loaded_.rejected_count;
    if (loading_.quiet || loaded_.rejected_count > rejections_told_max) return;
    progress_.clear();
    fmt::print(stderr, "{}: {}: kept as it is, see {}_rejected{}\n", name, why.message, loading_.topic,
               loaded_.rejected_count == rejections_told_max ? " (further ones are counted only)" : "");
  }
  void note_broken(const std::string& name, Error why) {
    if (why.code == ErrorCode::too_large) why.message += destination_.limit_text();
    if (!why.message.starts_with(name)) why = std::move(why).within(name);
    if (broken_) {
      progress_.clear();
      fmt::print(stderr, "{}\n", why.message);
    } else {
      broken_ = std::move(why);
    }
  }

  const Loading& loading_;
  Destination& destination_;
  Loaded& loaded_;
  ProgressLine progress_;
  std::uint64_t size_bytes_;
  std::uint64_t bytes_before_ = 0;
  std::optional<Error> broken_;
};

}  // namespace

Result<> load_files(const LoadConnections& connections, const Loading& loading, Loaded& loaded) {
  const auto started = std::chrono::steady_clock::now();
  TRIPOS_ASSIGN(const load::InputFiles files, load::find_input_files(loading.files));
  TRIPOS_ASSIGN(const auto destination, loading.append ? Appending::open(connections, loading) : Completing::open(connections, loading));
  Run run(loading, *destination, files, loaded);
  const Result<> outcome = [&]() -> Result<> {
    for (const std::string& path : files.paths) TRIPOS_TRY(run.load(path));
    return destination->end();
  }();
  destination->tell(loaded);
  loaded.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  TRIPOS_TRY(outcome);
  if (run.broken()) return tl::unexpected(*run.broken());
  if (loaded.rejected_count > 0) {
    return fail(ErrorCode::malformed, "{} {} no JSON; kept as they are: SELECT * FROM {}_rejected", grouped(loaded.rejected_count),
                loaded.rejected_count == 1 ? "line is" : "lines are", loading.topic);
  }
  return {};
}

std::string loaded_text(const Loading& loading, const Loaded& loaded) {
  const std::string size = readable_bytes(loaded.bytes_read);
  std::string text;
  if (loaded.known_count == 0) {
    text = fmt::format("Loaded {} messages ({}) into {}.", grouped(loaded.new_count), size, loading.topic);
  } else {
    text = fmt::format("Loaded {} new messages into {}; {} were there already ({} read).", grouped(loaded.new_count), loading.topic,
                       grouped(loaded.known_count), size);
  }
  if (loaded.uncounted > 0) {
    text += fmt::format(
        "\n{} older records of {} were removed by retention before they could be counted: elements that only those held were "
        "added again.",
        grouped(loaded.uncounted), loading.topic);
  }
  return text;
}

}  // namespace tripos::app
