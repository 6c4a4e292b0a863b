#include "json/key_table.h"

#include <algorithm>

#include "base/check.h"

namespace tripos::json {

namespace {

constexpr std::size_t linear_max = 8;  // fewer names than that are compared one by one

std::uint64_t hash(std::string_view name) noexcept {
  std::uint64_t state = name.size() * 0x9e3779b97f4a7c15ULL;
  std::size_t i = 0;
  for (; i + 8 <= name.size(); i += 8) {
    std::uint64_t word;
    std::memcpy(&word, name.data() + i, 8);
    state = (state ^ word) * 0xff51afd7ed558ccdULL;
    state ^= state >> 32;
  }
  std::uint64_t word = 0;
  std::memcpy(&word, name.data() + i, name.size() - i);
  state = (state ^ word) * 0xff51afd7ed558ccdULL;
  return state ^ state >> 29;
}

bool needs_escape(char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; }

}  // namespace

std::uint32_t KeyTable::add(std::string_view name) {
  CHECK(find(name) == none);
  const std::uint32_t number = size();
  Entry entry{std::string(name), {}};
  if (std::ranges::none_of(name, needs_escape)) entry.quoted.append("\"").append(name).append("\":");
  entries_.push_back(std::move(entry));
  next_.emplace_back();
  // At first the keys are expected in the order in which they were added.
  if (next_[number].last == none) next_[number].last = number;
  if (entries_.size() > linear_max) rehash();
  return number;
}

void KeyTable::rehash() {
  if (slots_.size() >= 2 * entries_.size()) {
    std::size_t slot = hash(entries_.back().name) & (slots_.size() - 1);
    while (slots_[slot] != none) slot = (slot + 1) & (slots_.size() - 1);
    slots_[slot] = size() - 1;
    return;
  }
  std::size_t count = 32;
  while (count < 4 * entries_.size()) count *= 2;
  slots_.assign(count, none);
  for (std::uint32_t number = 0; number < size(); ++number) {
    std::size_t slot = hash(entries_[number].name) & (count - 1);
    while (slots_[slot] != none) slot = (slot + 1) & (count - 1);
    slots_[slot] = number;
  }
}

std::uint32_t KeyTable::find(std::string_view name) const noexcept {
  const auto is = [&](std::uint32_t number) {
    const std::string& known = entries_[number].name;
    return known.size() == name.size() && equal_bytes(known.data(), name.data(), name.size());
  };
  if (slots_.empty()) {
    for (std::uint32_t number = 0; number < size(); ++number) {
      if (is(number)) return number;
    }
    return none;
  }
  std::size_t slot = hash(name) & (slots_.size() - 1);
  while (slots_[slot] != none) {
    if (is(slots_[slot])) return slots_[slot];
    slot = (slot + 1) & (slots_.size() - 1);
  }
  return none;
}

}  // namespace tripos::json
