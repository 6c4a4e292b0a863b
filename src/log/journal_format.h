// The bytes of the commit journal (docs/format/journal.md): its head and its records. Pure functions over bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/uuid.h"

namespace tripos::log {

// Records begin at multiples of it, so that no write touches a block of an earlier record.
inline constexpr std::uint64_t journal_block = 4096;

struct JournalHead {
  Uuid run;
  std::uint64_t half_bytes = 0;
  [[nodiscard]] std::uint64_t file_bytes() const noexcept { return journal_block + 2 * half_bytes; }
};

// A whole block.
[[nodiscard]] Buffer encode_journal_head(const JournalHead& head);
// Nothing: these bytes are none.
[[nodiscard]] std::optional<JournalHead> decode_journal_head(Bytes bytes) noexcept;

struct JournalEntry {
  std::string_view name;  // of a segment's file, from the data directory on
  std::uint64_t position = 0;
  Bytes bytes;
};

struct JournalRecord {
  std::uint64_t number = 0;
  std::uint64_t drained_below = 0;
  std::uint64_t size = 0;  // in the journal, up to where the next one may begin
  std::vector<JournalEntry> entries;
};

// What a record of entries with these names and byte counts takes: `entry_bytes` is the sum over journal_entry_size().
[[nodiscard]] std::uint64_t journal_entry_size(std::string_view name, std::uint64_t bytes) noexcept;
[[nodiscard]] std::uint64_t journal_record_size(std::uint64_t entry_bytes) noexcept;

// Builds one record: for each entry add() and as many bytes appended to bytes(), then finish().
class JournalRecordBuilder {
 public:
  JournalRecordBuilder(const Uuid& run, std::uint64_t number, std::uint64_t drained_below);
  void add(std::string_view name, std::uint64_t position, std::uint32_t count);
  [[nodiscard]] Buffer& bytes() noexcept { return bytes_; }
  [[nodiscard]] Bytes finish() noexcept;

 private:
  Buffer bytes_;
  std::uint32_t entries_ = 0;
};

// The record at the front of `bytes`, with views into them. Nothing: there is no whole, unharmed record of this run.
[[nodiscard]] std::optional<JournalRecord> decode_journal_record(Bytes bytes, const Uuid& run);

}  // namespace tripos::log
