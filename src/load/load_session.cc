#include "load/load_session.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace tripos::load {
namespace {

constexpr std::size_t batch_bytes = 900'000;     // below the default of max.message.bytes
constexpr std::size_t record_overhead_max = 64;  // of a record's own lengths and deltas
constexpr std::size_t batch_overhead_max = 128;  // of a batch of one record

}  // namespace

LoadSession::~LoadSession() { static_cast<void>(io::remove_tree(parts_.files, parts_.directory)); }

std::size_t LoadSession::element_bytes_max() const noexcept {
  return topic_.message_bytes_max > batch_overhead_max ? topic_.message_bytes_max - batch_overhead_max : 0;
}

std::uint64_t LoadSession::uncounted() const {
  const std::lock_guard lock(mutex_);
  return parts_.index->uncounted();
}

// Under mutex_.
LoadTally LoadSession::tally() const {
  const std::lock_guard flight_lock(flight_->mutex);
  return {.new_count = flight_->appended_count, .known_count = known_count_};
}

Result<> LoadSession::begin(const LoadIndex::Progress& progress) {
  const std::lock_guard lock(mutex_);
  TRIPOS_ASSIGN(const EnteredClaim entered, EnteredClaim::enter(parts_.claim));
  if (failure_) return tl::unexpected(*failure_);
  // Whatever fails here leaves the counts half made.
  Result<> begun = [&]() -> Result<> {
    TRIPOS_TRY(wait_for_room(0));
    TRIPOS_TRY(io::remove_tree(parts_.files, parts_.directory));
    seen_.emplace(parts_.files, parts_.directory, parts_.index->seed(), parts_.index->options().table_size);
    TRIPOS_TRY(catch_up_with_log(*parts_.index, topic_, parts_.source, progress));
    return parts_.index->keep();
  }();
  if (!begun) failure_ = begun.error();
  return begun;
}

Result<> LoadSession::take(Bytes text, const std::function<void(const LoadTally&)>& turn) {
  const std::lock_guard lock(mutex_);
  TRIPOS_ASSIGN(const EnteredClaim entered, EnteredClaim::enter(parts_.claim));
  if (failure_) return tl::unexpected(*failure_);
  turn(tally());
  if (!text.empty() && text.back() != '\n') return fail(ErrorCode::malformed, "a block of elements does not end with a newline");
  std::vector<Line> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back({.bytes = text.substr(0, end), .hash = {}, .position = static_cast<std::uint32_t>(lines.size())});
    text.remove_prefix(end + 1);
  }
  Result<> taken = judge(lines);
  if (taken) taken = append(lines);
  if (!taken) failure_ = taken.error();
  return taken;
}

// Which of the lines the topic lacks. In the order of hashes, so that each block of a run is read once.
Result<> LoadSession::judge(std::vector<Line>& lines) {
  for (Line& line : lines) line.hash = parts_.index->hash(line.bytes);
  std::sort(lines.begin(), lines.end(),
            [](const Line& a, const Line& b) { return std::tie(a.hash, a.position) < std::tie(b.hash, b.position); });
  for (std::size_t begin = 0, end = 0; begin < lines.size(); begin = end) {
    const ContentHash& hash = lines[begin].hash;
    while (end < lines.size() && lines[end].hash == hash) ++end;
    TRIPOS_ASSIGN(const std::uint64_t in_topic, parts_.index->count(hash));
    TRIPOS_ASSIGN(const std::uint64_t seen, seen_->count(hash));
    for (std::size_t i = begin; i < end; ++i) lines[i].is_new = seen + (i - begin) >= in_topic;
    if (seen_->full()) {
      TRIPOS_TRY(seen_->spill());
      for (const std::string& path : seen_->take_replaced()) TRIPOS_TRY(parts_.files.remove(path));
    }
    seen_->add(hash, static_cast<std::uint32_t>(end - begin));
  }
  std::sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) { return a.position < b.position; });
  return {};
}

Result<> LoadSession::append(const std::vector<Line>& lines) {
  const std::size_t size_max = std::min(batch_bytes, topic_.message_bytes_max);
  std::vector<NewRecord> records;
  std::size_t size = batch_overhead_max;
  for (const Line& line : lines) {
    if (!line.is_new) {
      ++known_count_;
      continue;
    }
    const std::size_t record_size = line.bytes.size() + record_overhead_max;
    if (!records.empty() && size + record_size > size_max) {
      TRIPOS_TRY(send(std::exchange(records, {}), size));
      size = batch_overhead_max;
    }
    records.push_back({.key = {}, .value = Buffer(line.bytes), .timestamp = {}});
    size += record_size;
  }
  if (records.empty()) return {};
  return send(std::move(records), size);
}

Result<> LoadSession::send(std::vector<NewRecord> records, std::size_t size) {
  TRIPOS_TRY(wait_for_room(in_flight_bytes_max));
  const PartitionId partition = request_.partition.value_or(PartitionId(next_partition_));
  next_partition_ = (next_partition_ + 1) % topic_.partition_count;
  const std::size_t count = records.size();
  // The claim is held, and its holder at work, until the append is answered: only then may another load count.
  TRIPOS_ASSIGN(EnteredClaim entered, EnteredClaim::enter(parts_.claim));
  auto working = std::make_shared<EnteredClaim>(std::move(entered));
  {
    const std::lock_guard lock(flight_->mutex);
    flight_->bytes += size;
  }
  parts_.sink.append({.topic = topic_.name,
                      .partition = partition,
                      .records = std::move(records),
                      .topic_id = topic_.id,
                      .compression = request_.compression},
                     [flight = flight_, working = std::move(working), size, count](const Result<Offset>& appended) mutable {
                       working.reset();
                       const std::lock_guard lock(flight->mutex);
                       flight->bytes -= size;
                       if (appended) {
                         flight->appended_count += count;
                       } else if (!flight->failure) {
                         flight->failure = appended.error();
                       }
                       flight->moved.notify_all();
                     });
  return {};
}

// Until at most so many bytes are under way; tells of the first append that failed.
Result<> LoadSession::wait_for_room(std::size_t bytes_max) {
  std::unique_lock lock(flight_->mutex);
  flight_->moved.wait(lock, [&] { return flight_->bytes <= bytes_max || (flight_->failure && bytes_max > 0); });
  if (flight_->failure) return tl::unexpected(Error(*flight_->failure).within(fmt::format("appending to topic {}", topic_.name)));
  return {};
}

Result<LoadTally> LoadSession::finish() {
  const std::lock_guard lock(mutex_);
  TRIPOS_ASSIGN(const EnteredClaim entered, EnteredClaim::enter(parts_.claim));
  const Result<> flown = wait_for_room(0);
  if (failure_) return tl::unexpected(*failure_);
  if (!flown) return tl::unexpected(flown.error());
  return tally();
}

}  // namespace tripos::load
