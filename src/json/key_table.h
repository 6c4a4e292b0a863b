// KeyTable: finds an object's keys among known names, foreseeing that keys come in the order in which they came before: after each
// name the two that followed it last are remembered.
//
// The fast path compares a foreseen name with the bytes in the value, quotes and colon included. Names whose JSON text needs an
// escape are never found that way. Threads: none; find() changes the prediction only.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace tripos::json {

// a[0, size) == b[0, size), for the short texts that keys are.
[[nodiscard]] inline bool equal_bytes(const char* a, const char* b, std::size_t size) noexcept {
  const auto differ = [](const char* x, const char* y, auto word) {
    auto w = word;
    std::memcpy(&word, x, sizeof word);
    std::memcpy(&w, y, sizeof w);
    return word != w;
  };
  if (size >= 8) {
    for (std::size_t i = 0; i + 8 < size; i += 8) {
      if (differ(a + i, b + i, std::uint64_t{})) return false;
    }
    return !differ(a + size - 8, b + size - 8, std::uint64_t{});
  }
  if (size >= 4) return !differ(a, b, std::uint32_t{}) && !differ(a + size - 4, b + size - 4, std::uint32_t{});
  for (std::size_t i = 0; i < size; ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

class KeyTable {
 public:
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  // Adds a name that is not there yet; names are numbered from 0 in the order of adding.
  std::uint32_t add(std::string_view name);

  [[nodiscard]] std::uint32_t size() const noexcept { return static_cast<std::uint32_t>(entries_.size()); }
  [[nodiscard]] const std::string& name(std::uint32_t number) const noexcept { return entries_[number].name; }

  // The number of a name (unescaped), or none.
  [[nodiscard]] std::uint32_t find(std::string_view name) const noexcept;

  // The name that is foreseen after `previous` (none: at the start), if `token` begins with its JSON text: `"name":`.
  // `token_size`: bytes from the opening quote to the colon, that included.
  [[nodiscard, gnu::always_inline]] std::uint32_t predict(std::uint32_t previous, const char* token,
                                                          std::size_t token_size) const noexcept {
    const Followers& followers = next_[previous + 1];
    if (followers.last != none && is_quoted(followers.last, token, token_size)) [[likely]] {
      return followers.last;
    }
    return followers.before != none && is_quoted(followers.before, token, token_size) ? followers.before : none;
  }
  void learn(std::uint32_t previous, std::uint32_t number) noexcept {
    Followers& followers = next_[previous + 1];
    followers = {number, followers.last};
  }

 private:
  struct Entry {
    std::string name;
    std::string quoted;  // `"name":`; empty if that isn't its JSON text
  };
  struct Followers {
    std::uint32_t last = none;
    std::uint32_t before = none;
  };
  [[nodiscard]] bool is_quoted(std::uint32_t number, const char* token, std::size_t token_size) const noexcept {
    const std::string& quoted = entries_[number].quoted;
    return quoted.size() == token_size && equal_bytes(quoted.data(), token, token_size);
  }
  void rehash();

  std::vector<Entry> entries_;
  std::vector<Followers> next_ = std::vector<Followers>(1);  // [0]: the first key; [n + 1]: what follows name n
  std::vector<std::uint32_t> slots_;                         // open addressing, a power of two, none where free
};

}  // namespace tripos::json
