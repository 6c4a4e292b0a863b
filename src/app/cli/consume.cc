// tripos consume
#include <charconv>
#include <chrono>
#include <cstdio>

#include "app/cli/command.h"
#include "app/cli/record_format.h"
#include "client/consumer.h"
#include "client/topics.h"

namespace tripos::app {
namespace {

using client::OffsetAt;

struct Consume {
  static constexpr CommandInfo info = {"consume", "Print messages of a topic",
                                       "  tripos consume exams --from-beginning --max-messages 42\n"
                                       "  tripos consume exams --from-beginning --until-end > all.ndjson\n"
                                       "  tripos consume exams --offset -10 -f '%p %o %T %v\\n'\n"
                                       "  tripos consume exams                             what comes from now on, until Ctrl-C"};

  std::string topic;
  bool from_beginning = false;
  std::optional<std::uint64_t> max_messages;
  bool until_end = false;
  std::string format = "%v\\n";
  std::string offset;
  std::vector<std::int32_t> wanted_partitions;

  void flags(Flags& flags) {
    flags.option("topic", topic, "The topic", "TOPIC").required();
    flags.flag("--from-beginning", from_beginning, "From the first message on; else from now on");
    flags.option("-n,--max-messages", max_messages, "Stop after so many", "N");
    flags.flag("-e,--until-end", until_end, "Stop at the end that the topic has now");
    flags.option("-f,--format", format, "%t %p %o %T %k %v %h, \\n \\t: topic, partition, offset, time, key, value, headers", "FORMAT");
    flags.option("--offset", offset, "Where to begin: beginning, end, N, -N (before the end), @MS (a time, ms since 1970)", "OFFSET");
    flags.option("--partition", wanted_partitions, "Only this partition", "N");
  }

  Result<std::vector<std::int64_t>> starts(client::KafkaConnection& connection, const std::vector<std::int32_t>& partitions) {
    const auto at = [&](std::int64_t time) { return client::list_offsets(connection, topic, partitions, time); };
    if (from_beginning && !offset.empty()) return fail(ErrorCode::invalid_argument, "--from-beginning or --offset, not both");
    if (from_beginning || offset == "beginning") return at(static_cast<std::int64_t>(OffsetAt::earliest));
    if (offset.empty() || offset == "end") return at(static_cast<std::int64_t>(OffsetAt::latest));
    const bool is_time = offset.front() == '@';
    const std::string_view digits = std::string_view(offset).substr(is_time ? 1 : 0);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || end != digits.data() + digits.size() || (is_time && number < 0)) {
      return fail(ErrorCode::invalid_argument, "--offset takes beginning, end, N, -N or @MS, not '{}'", offset);
    }
    if (is_time) return at(number);
    if (number >= 0) return std::vector<std::int64_t>(partitions.size(), number);
    TRIPOS_ASSIGN(const auto earliest, at(static_cast<std::int64_t>(OffsetAt::earliest)));
    TRIPOS_ASSIGN(auto latest, at(static_cast<std::int64_t>(OffsetAt::latest)));
    for (std::size_t i = 0; i < latest.size(); ++i) latest[i] = std::max(earliest[i], latest[i] + number);
    return latest;
  }

  Result<> run(Session& session) {
    TRIPOS_ASSIGN(const RecordFormat record_format, RecordFormat::parse(format));
    TRIPOS_ASSIGN(Target * target, session.target());
    TRIPOS_ASSIGN(client::KafkaConnection connection, target->connect_kafka());
    std::vector<std::int32_t> partitions = wanted_partitions;
    if (partitions.empty()) {
      TRIPOS_ASSIGN(const client::TopicMetadata metadata, client::describe_topic(connection, topic));
      for (const client::PartitionMetadata& partition : metadata.partitions) partitions.push_back(partition.index);
    }
    TRIPOS_ASSIGN(const std::vector<std::int64_t> begins, starts(connection, partitions));
    std::vector<client::ConsumedPartition> consumed;
    for (std::size_t i = 0; i < partitions.size(); ++i) consumed.push_back({.index = partitions[i], .position = begins[i], .end = {}});
    if (until_end) {
      TRIPOS_ASSIGN(const std::vector<std::int64_t> ends,
                    client::list_offsets(connection, topic, partitions, static_cast<std::int64_t>(OffsetAt::latest)));
      for (std::size_t i = 0; i < consumed.size(); ++i) consumed[i].end = ends[i];
    }
    client::Consumer consumer(connection, topic, std::move(consumed), {});
    std::uint64_t left = max_messages.value_or(UINT64_MAX);
    Buffer text;
    while (left > 0) {
      text.clear();
      const auto polled = consumer.poll([&](std::int32_t partition, const Record& record) -> Result<bool> {
        TRIPOS_TRY(record_format.append(topic, partition, record, text));
        return --left > 0;
      });
      std::fwrite(text.data(), 1, text.size(), stdout);
      std::fflush(stdout);
      if (!polled) return tl::unexpected(polled.error());
      if (!*polled) break;
    }
    return {};
  }
};

}  // namespace

void add_consume(const Commands& root) { root.add<Consume>(); }

}  // namespace tripos::app
