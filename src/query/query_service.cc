#include "query/query_service.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <thread>

#include "query/order.h"
#include "query/pinned_message.h"

namespace tripos::query {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto await_interval_min = std::chrono::milliseconds(1);
constexpr auto await_interval_max = std::chrono::milliseconds(20);
constexpr std::size_t tables_max = 1000;
constexpr std::size_t wait_for_max = 1000;

// The server's side of one statement.
class Conversation {
 public:
  Conversation(lambda::Tables& tables, ViewCatalog& views, Order& order, ResultSink& sink)
      : tables_(tables), views_(views), order_(order), sink_(sink) {}

  Result<> take(protocol::ToServer& message) {
    return std::visit([this](auto& alternative) { return this->on(alternative); }, message);
  }

  lambda::Pin& pin() { return pin_; }
  // Why the worker was told no; it then fails in the same words.
  std::optional<Error>& refusal() { return refusal_; }

 private:
  Result<> on(protocol::NeedTables& needed) {
    auto answered = answer(needed);
    return answered ? Result<>() : refuse(std::move(answered).error());
  }

  Result<> answer(const protocol::NeedTables& needed) {
    if (pinned_) return fail(ErrorCode::malformed, "the worker asked for tables twice");
    if (needed.names.size() > tables_max) return fail(ErrorCode::too_large, "a statement may name at most {} tables", tables_max);
    pinned_ = true;
    std::vector<lambda::TableReference> references;
    for (const auto& name : needed.names) references.push_back({.qualifier = name.qualifier, .name = name.name});
    TRIPOS_ASSIGN(pin_, tables_.pin(references));
    TRIPOS_ASSIGN(auto pinned, pinned_message(pin_, needed.names, tables_.manifests()));
    if (needed.list_names) {
      TRIPOS_ASSIGN(pinned.message.table_names, tables_.names());
    }
    return order_.send(std::move(pinned.message), pinned.descriptors);
  }

  Result<> on(protocol::ViewChange& change) {
    auto changed = views_.change(change);
    return changed ? order_.send(protocol::ViewChanged()) : refuse(std::move(changed).error());
  }

  Result<> refuse(Error error) {
    refusal_ = error;
    return order_.send(protocol::Refused{.code = error.code, .message = std::move(error.message)});
  }

  Result<> on(protocol::Columns& columns) { return sink_.columns(columns.columns); }
  Result<> on(protocol::Rows& rows) { return sink_.rows(std::move(rows.text)); }
  Result<> on(protocol::ParquetChunk& chunk) { return sink_.parquet(std::move(chunk.bytes)); }

  // What has no place in a statement.
  template <typename Other>
  Result<> on(Other& /*message*/) {
    return fail(ErrorCode::malformed, "the worker said something out of turn");
  }

  lambda::Tables& tables_;
  ViewCatalog& views_;
  Order& order_;
  ResultSink& sink_;
  lambda::Pin pin_;
  bool pinned_ = false;
  std::optional<Error> refusal_;
};

}  // namespace

Result<Answer> QueryService::run(const Question& question, ResultSink& sink, const Cancellation& cancellation) {
  const auto deadline = Clock::now() + question.time_limit;
  TRIPOS_TRY(await(question, deadline, cancellation));
  TRIPOS_ASSIGN(auto lease, workers_.acquire(deadline, cancellation));
  TRIPOS_ASSIGN(auto views, views_.views());

  protocol::Statement statement{.order = lease.worker().next_order(),
                                .text = question.text,
                                .views = std::move(views),
                                .output = question.output,
                                .row_count_max = question.row_count_max};
  Order order(lease, statement.order, deadline, cancellation);
  Conversation conversation(tables_, views_, order, sink);
  auto sent = order.send(std::move(statement));
  Result<protocol::Done> done = sent ? order.run([&conversation](protocol::ToServer& message) { return conversation.take(message); })
                                     : tl::unexpected(std::move(sent).error());
  if (!done) {
    if (lease.retired()) {  // the next question finds another worker
      {
        const WorkerPool::Lease ended = std::move(lease);
      }
      workers_.warm();
    }
    if (conversation.refusal() && done.error().code != ErrorCode::cancelled && done.error().code != ErrorCode::timed_out) {
      return tl::unexpected(std::move(*conversation.refusal()));
    }
    return tl::unexpected(std::move(done).error());
  }
  Answer answer{.row_count = done->row_count, .pin = std::move(conversation.pin())};
  for (lambda::PinnedTable& table : answer.pin.tables) {
    for (PartitionRange& range : table.ranges) range.slices.clear();
  }
  return answer;
}

Result<> QueryService::await(const Question& question, Clock::time_point deadline, const Cancellation& cancellation) {
  auto interval = await_interval_min;
  while (!question.wait_for.empty()) {
    TRIPOS_ASSIGN(const bool covered, tables_.covers(question.wait_for));
    if (covered) break;
    if (cancellation.cancelled()) return fail(ErrorCode::cancelled, "the question was cancelled while it waited for its offsets");
    if (Clock::now() >= deadline)
      return fail(ErrorCode::timed_out, "the offsets that the question waits for did not come within its time limit");
    std::this_thread::sleep_for(interval);
    interval = std::min(interval * 2, await_interval_max);
  }
  return {};
}

Result<std::vector<lambda::Awaited>> parse_wait_for(std::string_view text) {
  std::vector<lambda::Awaited> awaited;
  while (!text.empty()) {
    const std::string_view entry = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), entry.size() + 1));
    const auto wrong = [&entry] { return fail(ErrorCode::invalid_argument, "wait for \"{}\": expected TOPIC:PARTITION:OFFSET,…", entry); };
    const auto first = entry.find(':');
    const auto second = entry.find(':', first == std::string_view::npos ? first : first + 1);
    if (first == 0 || second == std::string_view::npos) return wrong();
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    const auto number = [](std::string_view digits, auto& value) {
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
      return error == std::errc() && end == digits.data() + digits.size() && value >= 0;
    };
    if (!number(entry.substr(first + 1, second - first - 1), partition) || !number(entry.substr(second + 1), offset)) return wrong();
    if (awaited.size() == wait_for_max) return fail(ErrorCode::too_large, "wait for: at most {} offsets", wait_for_max);
    awaited.push_back({.topic = std::string(entry.substr(0, first)), .partition = PartitionId(partition), .offset = Offset(offset)});
  }
  return awaited;
}

}  // namespace tripos::query
