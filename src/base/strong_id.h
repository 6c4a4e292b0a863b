// StrongId: an integer that is not any other integer.
// Offset + 1 is an Offset; Offset + PartitionId does not compile.
#pragma once

#include <fmt/format.h>

#include <compare>
#include <concepts>
#include <cstddef>
#include <functional>

namespace tripos {

template <typename Tag, std::integral Rep>
class StrongId {
 public:
  using rep = Rep;

  constexpr StrongId() noexcept = default;
  constexpr explicit StrongId(Rep value) noexcept : value_(value) {}

  [[nodiscard]] constexpr Rep value() const noexcept { return value_; }

  friend constexpr auto operator<=>(StrongId, StrongId) noexcept = default;

  constexpr StrongId& operator++() noexcept {
    ++value_;
    return *this;
  }
  friend constexpr StrongId operator+(StrongId id, Rep count) noexcept { return StrongId(static_cast<Rep>(id.value_ + count)); }
  friend constexpr StrongId operator-(StrongId id, Rep count) noexcept { return StrongId(static_cast<Rep>(id.value_ - count)); }
  friend constexpr Rep operator-(StrongId a, StrongId b) noexcept { return static_cast<Rep>(a.value_ - b.value_); }

 private:
  Rep value_ = 0;
};

}  // namespace tripos

template <typename Tag, std::integral Rep>
struct std::hash<tripos::StrongId<Tag, Rep>> {
  std::size_t operator()(tripos::StrongId<Tag, Rep> id) const noexcept { return std::hash<Rep>{}(id.value()); }
};

template <typename Tag, std::integral Rep>
struct fmt::formatter<tripos::StrongId<Tag, Rep>> : fmt::formatter<Rep> {
  template <typename Context>
  auto format(tripos::StrongId<Tag, Rep> id, Context& context) const {
    return fmt::formatter<Rep>::format(id.value(), context);
  }
};
