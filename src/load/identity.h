// Identity: what makes two elements the same to a load (docs/adr/0017): their content, or the value of one member.
//
//   content   the bytes without white space outside of string literals. Of white space between two bytes that would otherwise grow
//             together ("tr ue") one blank stays, so that this never makes two valid values, or a valid and a broken one, alike.
//   id FIELD  the value of that member of the top-level object, of several the last; a string with its escapes read. An element
//             without it, or with null, goes by its content.
//
// Any bytes have an identity, JSON or not. Threads: one at a time (it keeps a buffer).
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"

namespace tripos::load {

// XXH3-128 of an identity. Its order is that of its canonical bytes.
struct ContentHash {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  friend auto operator<=>(const ContentHash&, const ContentHash&) noexcept = default;
};

class Identity {
 public:
  Identity() = default;  // content
  explicit Identity(std::string id_field) : id_field_(std::move(id_field)) {}

  [[nodiscard]] ContentHash hash(Bytes value, std::uint64_t seed);
  friend bool operator==(const Identity& a, const Identity& b) noexcept { return a.id_field_ == b.id_field_; }

  // "content", or id and the field's name as a JSON string: what the index says of itself.
  [[nodiscard]] std::string text() const;
  // Of such a text; nothing if it is none.
  [[nodiscard]] static std::optional<Identity> parse(std::string_view text);
  // The name of its index's directory.
  [[nodiscard]] std::string directory_name() const;

 private:
  std::optional<std::string> id_field_;
  Buffer minified_;
  Buffer unescaped_;
};

// `value` without white space outside of strings: itself where there is none, else built in `to`.
[[nodiscard]] Bytes without_white_space(Bytes value, Buffer& to);

// The raw value of a member of a minified object, of several the last; nothing if there is none, or it is no object.
[[nodiscard]] std::optional<Bytes> find_member(Bytes minified, std::string_view name, Buffer& scratch);

}  // namespace tripos::load
