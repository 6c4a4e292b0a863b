#include "log/journal_format.h"

#include <algorithm>
#include <iterator>

#include "base/crc32c.h"
#include "base/integer_reader.h"

namespace tripos::log {
namespace {

constexpr std::string_view head_magic = "tripos journal 1";
constexpr std::string_view record_magic = "TjR1";
constexpr std::size_t record_crc_at = 4;
constexpr std::size_t record_size_at = 8;
constexpr std::size_t record_entries_at = 44;
constexpr std::size_t record_head_size = 48;
constexpr std::size_t entry_head_size = 14;  // without its name

std::uint64_t whole_blocks(std::uint64_t bytes) noexcept { return (bytes + journal_block - 1) / journal_block * journal_block; }

Uuid read_uuid(IntegerReader& reader) {
  Uuid id;
  const Bytes bytes = reader.bytes(id.bytes.size());
  std::ranges::copy(bytes, id.bytes.begin());
  return id;
}

void append_uuid(Buffer& to, const Uuid& id) { to.append(id.bytes.data(), id.bytes.size()); }

}  // namespace

Buffer encode_journal_head(const JournalHead& head) {
  Buffer block(head_magic);
  append_uuid(block, head.run);
  append_be(block, head.half_bytes);
  append_be(block, crc32c(block));
  block.resize(journal_block, '\0');
  return block;
}

std::optional<JournalHead> decode_journal_head(Bytes bytes) noexcept {
  if (!bytes.starts_with(head_magic)) return std::nullopt;
  IntegerReader reader(bytes.substr(head_magic.size()));
  JournalHead head;
  head.run = read_uuid(reader);
  head.half_bytes = reader.next<std::uint64_t>();
  const auto crc = reader.next<std::uint32_t>();
  constexpr std::size_t checked = head_magic.size() + sizeof(Uuid) + sizeof(std::uint64_t);
  if (!reader.ok() || crc != crc32c(bytes.substr(0, checked))) return std::nullopt;
  return head;
}

std::uint64_t journal_entry_size(std::string_view name, std::uint64_t bytes) noexcept { return entry_head_size + name.size() + bytes; }

std::uint64_t journal_record_size(std::uint64_t entry_bytes) noexcept { return whole_blocks(record_head_size + entry_bytes); }

JournalRecordBuilder::JournalRecordBuilder(const Uuid& run, std::uint64_t number, std::uint64_t drained_below) {
  bytes_.append(record_magic).append(2 * sizeof(std::uint32_t), '\0');
  append_uuid(bytes_, run);
  append_be(bytes_, number);
  append_be(bytes_, drained_below);
  append_be(bytes_, std::uint32_t{0});
}

void JournalRecordBuilder::add(std::string_view name, std::uint64_t position, std::uint32_t count) {
  append_be(bytes_, static_cast<std::uint16_t>(name.size()));
  bytes_.append(name);
  append_be(bytes_, position);
  append_be(bytes_, count);
  ++entries_;
}

Bytes JournalRecordBuilder::finish() noexcept {
  store_be(bytes_.data() + record_entries_at, entries_);
  store_be(bytes_.data() + record_size_at, static_cast<std::uint32_t>(bytes_.size()));
  store_be(bytes_.data() + record_crc_at, crc32c(Bytes(bytes_).substr(record_size_at)));
  return bytes_;
}

std::optional<JournalRecord> decode_journal_record(Bytes bytes, const Uuid& run) {
  if (bytes.size() < record_head_size || !bytes.starts_with(record_magic)) return std::nullopt;
  const auto size = load_be<std::uint32_t>(bytes.data() + record_size_at);
  if (size < record_head_size || size > bytes.size()) return std::nullopt;
  if (load_be<std::uint32_t>(bytes.data() + record_crc_at) != crc32c(bytes.substr(record_size_at, size - record_size_at)))
    return std::nullopt;
  IntegerReader reader(bytes.substr(record_size_at + sizeof size, size - record_size_at - sizeof size));
  if (read_uuid(reader) != run) return std::nullopt;
  JournalRecord record;
  record.size = whole_blocks(size);
  record.number = reader.next<std::uint64_t>();
  record.drained_below = reader.next<std::uint64_t>();
  record.entries.resize(static_cast<std::size_t>(reader.count(entry_head_size)));
  for (JournalEntry& entry : record.entries) {
    entry.name = reader.bytes(reader.next<std::uint16_t>());
    entry.position = reader.next<std::uint64_t>();
    entry.bytes = reader.bytes(reader.next<std::uint32_t>());
  }
  if (!reader.ok() || !reader.at_end()) return std::nullopt;
  return record;
}

}  // namespace tripos::log
