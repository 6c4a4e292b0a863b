#include "load/load_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <random>

#include "base/crc32c.h"

namespace tripos::load {
namespace {

constexpr std::string_view first_line = "tripos load index 1\n";
constexpr std::size_t index_size_max = std::size_t{4} << 20;
constexpr std::uint64_t progress_bytes = std::uint64_t{16} << 20;

std::string index_path(const std::string& directory) { return directory + "/index"; }

std::uint64_t random_seed() {
  std::random_device device;
  return static_cast<std::uint64_t>(device()) << 32 | device();
}

std::uint64_t bytes_of(const PartitionRange& range) {
  std::uint64_t sum = 0;
  for (const LogSlice& slice : range.slices) sum += slice.end - slice.begin;
  return sum;
}

// Takes lines of words and numbers off the front of a text. Once something is not as expected, all is false.
class Lines {
 public:
  explicit Lines(Bytes text) : rest_(text) {}
  bool word(std::string_view text) {
    good_ = good_ && rest_.starts_with(text);
    if (good_) rest_.remove_prefix(text.size());
    return good_;
  }
  template <typename T>
  bool number(T& value, int base = 10) {
    const auto [stop, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value, base);
    good_ = good_ && error == std::errc();
    if (good_) rest_.remove_prefix(static_cast<std::size_t>(stop - rest_.data()));
    return good_;
  }
  [[nodiscard]] bool begins(std::string_view text) const { return good_ && rest_.starts_with(text); }
  [[nodiscard]] bool done() const { return good_ && rest_.empty(); }

 private:
  Bytes rest_;
  bool good_ = true;
};

}  // namespace

struct LoadIndex::Stored {
  std::uint64_t seed = 0;
  std::uint64_t next = 1;
  std::map<PartitionId, Covered> covered;
  std::vector<std::uint64_t> runs;
};

Result<LoadIndex::Stored> LoadIndex::parse(Bytes text, const std::string& identity) {
  const auto broken = [](std::string_view why) {
    return fail(ErrorCode::corrupt, "{}; it holds only what can be counted again from the log: remove its directory and load again", why);
  };
  const std::size_t sum_line = text.rfind("crc32c ");
  if (sum_line == Bytes::npos) return broken("it does not end as a load index does");
  std::uint32_t sum = 0;
  Lines last(text.substr(sum_line));
  last.word("crc32c ");
  last.number(sum, 16);
  last.word("\n");
  if (!last.done() || sum != crc32c(text.substr(0, sum_line))) return broken("wrong checksum");
  Lines lines(text.substr(0, sum_line));
  if (!lines.word(first_line)) return broken("not a load index of this version");
  if (!lines.word(fmt::format("identity {}\n", identity))) return broken(fmt::format("it does not count by {}", identity));
  Stored stored;
  lines.word("seed ");
  lines.number(stored.seed, 16);
  lines.word("\nnext ");
  lines.number(stored.next);
  lines.word("\n");
  while (lines.begins("partition ")) {
    std::int32_t partition = 0;
    std::uint64_t uncounted = 0;
    std::int64_t end = 0;
    lines.word("partition ");
    lines.number(partition);
    lines.word(" ");
    lines.number(uncounted);
    lines.word(" ");
    lines.number(end);
    lines.word("\n");
    stored.covered[PartitionId(partition)] = {.uncounted = uncounted, .end = Offset(end)};
  }
  while (lines.begins("run ")) {
    std::uint64_t entries = 0;
    lines.word("run ");
    lines.number(stored.runs.emplace_back());
    lines.word(" ");
    lines.number(entries);
    lines.word("\n");
  }
  if (!lines.done()) return broken("a line is not as it should be");
  return stored;
}

Result<std::optional<Identity>> LoadIndex::kept_identity(io::FileSystem& files, const std::string& own_directory) {
  const std::string path = index_path(own_directory);
  const auto text = io::read_file(files, path, index_size_max);
  if (!text && text.error().code == ErrorCode::not_found) return std::optional<Identity>();
  if (!text) return tl::unexpected(text.error());
  constexpr std::string_view name = "\nidentity ";
  const std::size_t at = text->find(name);
  const std::size_t begin = at == Buffer::npos ? text->size() : at + name.size();
  const auto identity = Identity::parse(Bytes(*text).substr(begin, text->find('\n', begin) - begin));
  if (!identity) return fail(ErrorCode::corrupt, "{}: it does not tell by what it counts; remove its directory and load again", path);
  return identity;
}

Result<std::unique_ptr<LoadIndex>> LoadIndex::open(io::FileSystem& files, const std::string& directory, Identity identity,
                                                   const LoadIndexOptions& options) {
  const std::string own_directory = directory + "/" + identity.directory_name();
  const std::string path = index_path(own_directory);
  auto text = io::read_file(files, path, index_size_max);
  if (!text && text.error().code != ErrorCode::not_found) return tl::unexpected(std::move(text).error());
  std::optional<Stored> stored;
  if (text) {
    auto parsed = parse(*text, identity.text());
    if (!parsed) return tl::unexpected(std::move(parsed).error().within(path));
    stored = std::move(*parsed);
  }
  const std::uint64_t seed = stored ? stored->seed : random_seed();
  std::unique_ptr<LoadIndex> index(new LoadIndex(files, own_directory, std::move(identity), seed, options));
  if (stored) TRIPOS_TRY(index->take(*stored));
  TRIPOS_TRY(index->remove_orphans());
  return index;
}

Result<> LoadIndex::take(const Stored& stored) {
  stored_ = true;
  covered_ = stored.covered;
  counts_.set_next_number(stored.next);
  for (const std::uint64_t number : stored.runs) TRIPOS_TRY(counts_.open_run(number));
  return {};
}

// Runs that were written for an index that a crash kept from being, and what loads left that a crash ended.
Result<> LoadIndex::remove_orphans() {
  const auto entries = files_.list(directory_);
  if (!entries) return entries.error().code == ErrorCode::not_found ? Result<>() : tl::unexpected(entries.error());
  for (const io::DirectoryEntry& entry : *entries) {
    const bool counts = std::any_of(counts_.runs().begin(), counts_.runs().end(),
                                    [&](const Counts::Run& run) { return run_name(run.number) == entry.name; });
    if (!counts && entry.name.ends_with(".run")) TRIPOS_TRY(files_.remove(directory_ + "/" + entry.name));
    if (entry.directory && entry.name.starts_with("session-")) TRIPOS_TRY(io::remove_tree(files_, directory_ + "/" + entry.name));
  }
  return {};
}

std::vector<RangeRequest> LoadIndex::wanted(const TopicDescription& topic) const {
  std::vector<RangeRequest> requests;
  for (PartitionId partition(0); partition.value() < topic.partition_count; ++partition) {
    const auto covered = covered_.find(partition);
    requests.push_back(
        {.partition = {.topic = topic.id, .partition = partition}, .begin = covered == covered_.end() ? Offset(0) : covered->second.end});
  }
  return requests;
}

std::uint64_t LoadIndex::uncounted() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& [partition, covered] : covered_) sum += covered.uncounted;
  return sum;
}

Result<bool> LoadIndex::catch_up(std::span<const PartitionRange> ranges, const Progress& progress) {
  std::uint64_t all = 0;
  for (const PartitionRange& range : ranges) {
    const auto covered = covered_.find(range.partition);
    if (covered != covered_.end() && range.end.offset < covered->second.end) {
      TRIPOS_TRY(clear());
      return false;
    }
    all += bytes_of(range);
  }
  std::uint64_t scanned = 0;
  for (const PartitionRange& range : ranges) {
    // What lies between what was counted and what is still there can't be counted any more.
    Covered& covered = covered_[range.partition];
    if (range.begin > covered.end) {
      covered.uncounted += static_cast<std::uint64_t>(range.begin - covered.end);
      covered.end = range.begin;
    }
    TRIPOS_TRY(scan(range, scanned, all, progress));
    covered.end = range.end.offset;
  }
  if (scanned >= options_.kept_from_bytes) TRIPOS_TRY(save());
  return true;
}

Result<> LoadIndex::scan(const PartitionRange& range, std::uint64_t& scanned, std::uint64_t all, const Progress& progress) {
  lambda::RecordScan records;
  for (const LogSlice& slice : range.slices) {
    PartitionRange part = range;
    part.slices = {slice};
    Result<> outcome;
    const std::uint64_t before = scanned;
    std::uint64_t told = scanned;
    TRIPOS_TRY(records.scan(part, [&](const Record& record) {
      if (!outcome) return;
      if (record.value) {
        counts_.add(identity_.hash(*record.value, seed_), 1);
        scanned += record.value->size();
      }
      if (scanned - told >= progress_bytes) {
        told = scanned;
        outcome = progress(scanned, all);
      }
      if (!counts_.full() || !outcome) return;
      covered_.at(range.partition).end = record.offset + 1;
      outcome = save();
    }));
    TRIPOS_TRY(outcome);
    scanned = before + (slice.end - slice.begin);
    TRIPOS_TRY(progress(scanned, all));
  }
  return {};
}

Result<> LoadIndex::save() {
  TRIPOS_TRY(counts_.spill());
  TRIPOS_TRY(files_.make_directories(directory_));
  TRIPOS_TRY(files_.sync_directory(directory_));
  if (!stored_) {
    const std::string load_directory = io::parent_of(directory_);
    TRIPOS_TRY(files_.sync_directory(load_directory));
    TRIPOS_TRY(files_.sync_directory(io::parent_of(load_directory)));
  }
  Buffer text = fmt::format("{}identity {}\nseed {:016x}\nnext {}\n", first_line, identity_.text(), seed_, counts_.next_number());
  for (const auto& [partition, covered] : covered_) text += fmt::format("partition {} {} {}\n", partition, covered.uncounted, covered.end);
  for (const Counts::Run& run : counts_.runs()) text += fmt::format("run {} {}\n", run.number, run.counts.entry_count());
  text += fmt::format("crc32c {:08x}\n", crc32c(text));
  TRIPOS_TRY(io::replace_file(files_, index_path(directory_), text));
  stored_ = true;
  for (const std::string& path : counts_.take_replaced()) TRIPOS_TRY(files_.remove(path));
  return {};
}

Result<> LoadIndex::clear() {
  if (stored_) TRIPOS_TRY(files_.remove(index_path(directory_)));
  stored_ = false;
  counts_.clear();
  covered_.clear();
  return remove_orphans();
}

Result<> catch_up_with_log(LoadIndex& index, const TopicDescription& topic, RecordSource& source, const LoadIndex::Progress& progress) {
  constexpr int attempts_max = 3;
  for (int attempt = 1;; ++attempt) {
    TRIPOS_ASSIGN(const auto ranges, source.ranges(index.wanted(topic)));
    TRIPOS_ASSIGN(const bool done, index.catch_up(ranges, progress));
    if (done) return {};
    if (attempt == attempts_max) return fail(ErrorCode::conflict, "the log of topic {} does not stand still", topic.name);
  }
}

}  // namespace tripos::load
