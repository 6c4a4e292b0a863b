#include "log/commit_journal.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "log/journal_format.h"
#include "log/paths.h"
#include "log/sync_segment.h"

namespace tripos::log {
namespace {

constexpr std::size_t zeros_bytes = 1u << 20;

std::string_view name_in(const std::string& data, std::string_view path) {
  CHECK(path.size() > data.size() && path.starts_with(data) && path[data.size()] == '/');
  return path.substr(data.size() + 1);
}

Result<> write_empty_journal(io::File& file, const JournalHead& head) {
  TRIPOS_TRY(file.reserve(0, head.file_bytes()));
  TRIPOS_TRY(file.write_at(0, std::array{Bytes(encode_journal_head(head))}));
  const Buffer zeros(zeros_bytes, '\0');
  for (std::uint64_t at = journal_block; at < head.file_bytes(); at += zeros.size()) {
    const Bytes some = Bytes(zeros).substr(0, std::min<std::uint64_t>(zeros.size(), head.file_bytes() - at));
    TRIPOS_TRY(file.write_at(at, std::array{some}));
  }
  return {};
}

Result<std::shared_ptr<io::File>> make_journal(io::FileSystem& files, const std::string& data, const JournalHead& head) {
  TRIPOS_TRY(io::replace_file(files, journal_path(data), [&head](io::File& file) { return write_empty_journal(file, head); }));
  return files.open(journal_path(data), io::OpenMode::write);
}

Result<> sync_if_there(io::FileSystem& files, const std::string& path) {
  auto synced = sync_segment(files, path);
  if (!synced && synced.error().code == ErrorCode::not_found) return {};  // retention or a deletion has taken it
  return synced;
}

Result<> sync_paths(io::FileSystem& files, const std::string& data, const std::set<std::string>& paths, std::size_t sync_all_from) {
  if (paths.size() < sync_all_from) {
    for (const std::string& path : paths) TRIPOS_TRY(sync_if_there(files, path));
    return {};
  }
  auto synced = files.sync_all(data);
  if (synced) return {};
  for (const std::string& path : paths) mark_sync_failed(files, io::parent_of(path));
  return synced;
}

}  // namespace

CommitJournal::CommitJournal(io::FileSystem& files, std::string data, JournalOptions options, std::size_t sync_all_from)
    : files_(files), data_(std::move(data)), options_(options), sync_all_from_(sync_all_from) {
  CHECK(options_.half_bytes % journal_block == 0 && journal_record_size(options_.round_bytes_max) + journal_block <= options_.half_bytes);
}

std::optional<CommitJournal::Place> CommitJournal::place(const std::vector<UnsyncedTail>& tails) {
  std::uint64_t entry_bytes = 0;
  std::uint64_t entries = 0;
  for (const UnsyncedTail& tail : tails) {
    if (tail.begin == tail.end) continue;
    entry_bytes += journal_entry_size(name_in(data_, tail.file->path()), tail.end - tail.begin);
    ++entries;
  }
  if (entries == 0 || entry_bytes > std::min(options_.round_bytes_max, entries * options_.file_bytes_max)) return std::nullopt;
  ++small_rounds_;
  if (state_ != State::ready) return std::nullopt;
  const std::uint64_t bytes = journal_record_size(entry_bytes);
  std::optional<std::uint64_t> closing_position;
  if (halves_[current_].position + bytes + journal_block > halves_[current_].begin + options_.half_bytes) {
    if (other().use != Half::Use::free) return std::nullopt;
    if (told_drained_below_ != drained_below_) {
      closing_position = halves_[current_].position;
      ++next_number_;
    }
    halves_[current_].use = Half::Use::drain_due;
    current_ = 1 - current_;
    halves_[current_].position = halves_[current_].begin;
    first_number_ = next_number_;
  }
  return Place{.file = file_,
               .run = run_,
               .position = halves_[current_].position,
               .bytes = bytes,
               .number = next_number_,
               .drained_below = drained_below_,
               .closing_position = closing_position};
}

Result<> CommitJournal::write(const Place& place, const std::vector<UnsyncedTail>& tails, const std::string& data) {
  JournalRecordBuilder record(place.run, place.number, place.drained_below);
  for (const UnsyncedTail& tail : tails) {
    if (tail.begin == tail.end) continue;
    const std::uint64_t count = tail.end - tail.begin;
    record.add(name_in(data, tail.file->path()), tail.begin, static_cast<std::uint32_t>(count));
    Buffer& bytes = record.bytes();
    const std::size_t before = bytes.size();
    bytes.resize(before + count);
    TRIPOS_TRY(io::read_exactly(*tail.file, tail.begin, std::span(bytes).subspan(before)));
  }
  if (place.closing_position) {
    JournalRecordBuilder closing(place.run, place.number - 1, place.drained_below);
    TRIPOS_TRY(place.file->write_at(*place.closing_position, std::array{closing.finish()}));
    TRIPOS_TRY(place.file->sync_data());
  }
  TRIPOS_TRY(place.file->write_at(place.position, std::array{record.finish()}));
  return place.file->sync_data();
}

void CommitJournal::written(const Place& place, const std::vector<UnsyncedTail>& tails) {
  Half& half = halves_[current_];
  half.position = place.position + place.bytes;
  for (const UnsyncedTail& tail : tails) {
    if (tail.begin != tail.end) half.paths.insert(tail.file->path());
  }
  told_drained_below_ = place.drained_below;
  ++next_number_;
}

void CommitJournal::give_up() { state_ = State::given_up; }

std::optional<CommitJournal::Chore> CommitJournal::next_chore() {
  if (state_ == State::absent && small_rounds_ >= options_.rounds_before) return make();
  if (state_ == State::ready && other().use == Half::Use::drain_due) return drain();
  return std::nullopt;
}

CommitJournal::Chore CommitJournal::make() {
  state_ = State::making;
  const auto made = std::make_shared<std::shared_ptr<io::File>>();
  const JournalHead head{.run = Uuid::random(), .half_bytes = options_.half_bytes};
  auto work = [&files = files_, data = data_, head, made]() -> Result<> {
    TRIPOS_ASSIGN(*made, make_journal(files, data, head));
    return {};
  };
  auto done = [this, head, made](const Result<>& result) {
    small_rounds_ = 0;
    if (!result) {
      options_.rounds_before *= 2;
      state_ = State::absent;
      return;
    }
    file_ = std::move(*made);
    run_ = head.run;
    next_number_ = 1;
    drained_below_ = 1;
    told_drained_below_ = 1;
    current_ = 0;
    for (std::size_t i = 0; i < halves_.size(); ++i) {
      halves_[i] = {};
      halves_[i].begin = journal_block + i * head.half_bytes;
      halves_[i].position = halves_[i].begin;
    }
    first_number_ = next_number_;
    state_ = State::ready;
  };
  return {std::move(work), std::move(done)};
}

CommitJournal::Chore CommitJournal::drain() {
  other().use = Half::Use::draining;
  auto work = [&files = files_, data = data_, paths = other().paths, sync_all_from = sync_all_from_] {
    return sync_paths(files, data, paths, sync_all_from);
  };
  // No change of places before it is free.
  auto done = [this](const Result<>& result) {
    other().use = result ? Half::Use::free : Half::Use::drain_due;
    if (!result) return;
    other().paths.clear();
    drained_below_ = first_number_;
  };
  return {std::move(work), std::move(done)};
}

CommitJournal::Chore CommitJournal::retire() {
  const bool exists = state_ == State::ready || state_ == State::given_up;
  std::set<std::string> paths;
  if (exists) {
    for (Half& half : halves_) paths.merge(half.paths);
  }
  state_ = State::absent;
  file_.reset();
  auto work = [&files = files_, data = data_, paths = std::move(paths), sync_all_from = sync_all_from_, exists]() -> Result<> {
    if (!exists) return {};
    TRIPOS_TRY(sync_paths(files, data, paths, sync_all_from));
    TRIPOS_TRY(files.remove(journal_path(data)));
    return files.sync_directory(data);
  };
  return {std::move(work), [](const Result<>&) {}};
}

}  // namespace tripos::log
