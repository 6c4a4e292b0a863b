#include "load/counts.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tripos::load {
namespace {

constexpr std::size_t merged_at_once = 8;

}  // namespace

std::string run_name(std::uint64_t number) { return fmt::format("{:020}.run", number); }

std::string Counts::path_of(std::uint64_t number) const { return directory_ + "/" + run_name(number); }

std::size_t Counts::class_of(const Run& run) const noexcept {
  std::size_t result = 0;
  for (std::uint64_t size = run.counts.entry_count() / table_size_; size >= merged_at_once; size /= merged_at_once) ++result;
  return result;
}

Result<> Counts::open_run(std::uint64_t number) {
  TRIPOS_ASSIGN(CountRun run, CountRun::open(files_, path_of(number), seed_));
  runs_.push_back({.number = number, .counts = std::move(run)});
  return {};
}

Result<> Counts::spill() {
  if (table_.size() == 0) return {};
  TRIPOS_TRY(files_.make_directories(directory_));
  const std::uint64_t number = next_number_++;
  TRIPOS_ASSIGN(CountRunWriter writer, CountRunWriter::create(files_, path_of(number), seed_));
  for (const Count& count : table_.take_sorted()) TRIPOS_TRY(writer.add(count));
  TRIPOS_TRY(writer.finish());
  TRIPOS_TRY(open_run(number));
  return merge_where_many();
}

// The last runs are of the smallest class.
Result<> Counts::merge_where_many() {
  while (runs_.size() >= merged_at_once) {
    const std::size_t first = runs_.size() - merged_at_once;
    if (class_of(runs_[first]) != class_of(runs_.back())) return {};
    TRIPOS_TRY(merge(first));
  }
  return {};
}

Result<> Counts::merge(std::size_t first) {
  const std::uint64_t number = next_number_++;
  TRIPOS_ASSIGN(CountRunWriter writer, CountRunWriter::create(files_, path_of(number), seed_));
  struct Source {
    CountRun::Cursor cursor;
    const Count* head;
  };
  std::vector<Source> sources;
  for (std::size_t i = first; i < runs_.size(); ++i) {
    Source source{CountRun::Cursor(runs_[i].counts), nullptr};
    TRIPOS_ASSIGN(source.head, source.cursor.next());
    if (source.head != nullptr) sources.push_back(std::move(source));
  }
  const auto later = [](const Source& a, const Source& b) { return b.head->hash < a.head->hash; };
  std::make_heap(sources.begin(), sources.end(), later);
  Count next;
  while (!sources.empty()) {
    std::pop_heap(sources.begin(), sources.end(), later);
    Source& source = sources.back();
    if (next.count != 0 && next.hash == source.head->hash) {
      next.count = added(next.count, source.head->count);
    } else {
      if (next.count != 0) TRIPOS_TRY(writer.add(next));
      next = *source.head;
    }
    TRIPOS_ASSIGN(source.head, source.cursor.next());
    if (source.head == nullptr) {
      sources.pop_back();
    } else {
      std::push_heap(sources.begin(), sources.end(), later);
    }
  }
  if (next.count != 0) TRIPOS_TRY(writer.add(next));
  TRIPOS_TRY(writer.finish());
  for (std::size_t i = first; i < runs_.size(); ++i) replaced_.push_back(path_of(runs_[i].number));
  runs_.erase(runs_.begin() + static_cast<std::ptrdiff_t>(first), runs_.end());
  return open_run(number);
}

void Counts::clear() {
  table_.clear();
  runs_.clear();
}

Result<std::uint32_t> Counts::count(const ContentHash& hash) {
  std::uint32_t sum = table_.count(hash);
  for (Run& run : runs_) {
    TRIPOS_ASSIGN(const std::uint32_t more, run.counts.count(hash));
    sum = added(sum, more);
  }
  return sum;
}

}  // namespace tripos::load
