#include "log/index_file.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"

namespace tripos::log {

OffsetEntry OffsetEntry::decode(const char* from, Offset base) noexcept {
  return {base + static_cast<std::int64_t>(load_be<std::uint32_t>(from)), load_be<std::uint32_t>(from + 4)};
}
void OffsetEntry::encode(char* to, Offset base) const noexcept {
  store_be(to, static_cast<std::int32_t>(offset - base));
  store_be(to + 4, static_cast<std::int32_t>(position));
}

TimeEntry TimeEntry::decode(const char* from, Offset base) noexcept {
  return {load_be<std::int64_t>(from), base + static_cast<std::int64_t>(load_be<std::uint32_t>(from + 8))};
}
void TimeEntry::encode(char* to, Offset base) const noexcept {
  store_be(to, timestamp_ms);
  store_be(to + 8, static_cast<std::int32_t>(offset - base));
}

template <typename Entry>
Result<> IndexFile<Entry>::open(io::OpenMode mode) const {
  if (file_ != nullptr) return {};
  TRIPOS_ASSIGN(file_, files_.open(path_, mode));
  return {};
}

template <typename Entry>
Result<> IndexFile<Entry>::create() {
  written_ = 0;
  stale_ = false;
  tail_.clear();
  file_.reset();
  TRIPOS_TRY(open(io::OpenMode::replace));
  file_.reset();  // most logs stay too small to need it
  return {};
}

template <typename Entry>
Result<> IndexFile<Entry>::load() {
  written_ = 0;
  tail_.clear();
  if (auto opened = open(io::OpenMode::write); !opened) {
    if (opened.error().code == ErrorCode::not_found) return {};
    return opened;
  }
  TRIPOS_ASSIGN(const std::uint64_t size, file_->size());
  written_ = size / Entry::size;
  stale_ = size % Entry::size != 0;
  return {};
}

template <typename Entry>
void IndexFile<Entry>::cut(std::uint64_t count) noexcept {
  if (count >= written_) {
    tail_.resize(std::min<std::uint64_t>(tail_.size(), count - written_));
  } else {
    tail_.clear();
    written_ = count;
    stale_ = true;
  }
}

template <typename Entry>
Result<Entry> IndexFile<Entry>::at(std::uint64_t index) const {
  if (index >= written_) return tail_[index - written_];
  TRIPOS_TRY(open(io::OpenMode::write));
  std::array<char, Entry::size> raw;
  TRIPOS_TRY(io::read_exactly(*file_, index * Entry::size, raw));
  return Entry::decode(raw.data(), base_);
}

template <typename Entry>
Result<std::optional<Entry>> IndexFile<Entry>::last_where(const std::function<bool(const Entry&)>& holds) const {
  std::optional<Entry> best;
  std::uint64_t begin = 0;
  std::uint64_t end = count();
  while (begin < end) {
    const std::uint64_t middle = begin + (end - begin) / 2;
    TRIPOS_ASSIGN(const Entry entry, at(middle));
    if (holds(entry)) {
      best = entry;
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return best;
}

template <typename Entry>
Result<> IndexFile<Entry>::flush() {
  TRIPOS_TRY(open(io::OpenMode::create));
  if (stale_) {
    TRIPOS_TRY(file_->truncate(written_ * Entry::size));
    stale_ = false;
  }
  if (tail_.empty()) return {};
  Buffer raw(tail_.size() * Entry::size, '\0');
  for (std::size_t i = 0; i < tail_.size(); ++i) tail_[i].encode(raw.data() + i * Entry::size, base_);
  TRIPOS_TRY(file_->write_at(written_ * Entry::size, std::array{Bytes(raw)}));
  written_ += tail_.size();
  tail_.clear();
  return {};
}

template class IndexFile<OffsetEntry>;
template class IndexFile<TimeEntry>;

}  // namespace tripos::log
