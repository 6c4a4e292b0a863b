#include "base/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace tripos {
namespace {

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0x82F63B78U : 0U);
    table[i] = crc;
  }
  return table;
}
constexpr auto table = make_table();

std::uint32_t extend_portable(std::uint32_t crc, const char* at, std::size_t count) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    crc = table[(crc ^ static_cast<unsigned char>(at[i])) & 0xffU] ^ (crc >> 8);
  }
  return crc;
}

#if defined(__x86_64__)

// Appending so many zero bytes to a message is a linear map on its CRC; a table per byte of the CRC applies it.
struct ZeroShift {
  std::array<std::array<std::uint32_t, 256>, 4> by_byte{};

  explicit ZeroShift(std::size_t zeros)
      : ZeroShift([zeros](std::uint32_t crc) {
          for (std::size_t i = 0; i < zeros; ++i) crc = table[crc & 0xffU] ^ (crc >> 8);
          return crc;
        }) {}
  // As `times` shifts of another one.
  ZeroShift(const ZeroShift& other, int times)
      : ZeroShift([&](std::uint32_t crc) {
          for (int i = 0; i < times; ++i) crc = other(crc);
          return crc;
        }) {}

  [[nodiscard]] std::uint32_t operator()(std::uint32_t crc) const noexcept {
    return by_byte[0][crc & 0xffU] ^ by_byte[1][crc >> 8 & 0xffU] ^ by_byte[2][crc >> 16 & 0xffU] ^ by_byte[3][crc >> 24];
  }

 private:
  template <typename Map>
  explicit ZeroShift(const Map& map) {
    for (std::uint32_t byte = 0; byte < 4; ++byte) {
      for (std::uint32_t bit = 0; bit < 8; ++bit) {
        const std::uint32_t image = map(1U << (byte * 8 + bit));
        for (std::uint32_t v = 0; v < 256; ++v) by_byte[byte][v] ^= (v >> bit & 1U) != 0 ? image : 0;
      }
    }
  }
};

std::uint64_t load_word(const char* at) noexcept {
  std::uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

constexpr std::size_t stripe_min = 1024;

// The instruction takes three cycles but starts one each cycle: three stripes run side by side, then are joined. Takes what it has read
// off `at` and `count`.
__attribute__((target("sse4.2"))) std::uint64_t extend_striped(std::uint64_t a, const char*& at, std::size_t& count, std::size_t stripe,
                                                               const ZeroShift& shift) noexcept {
  for (; count >= 3 * stripe; at += 3 * stripe, count -= 3 * stripe) {
    std::uint64_t b = 0;
    std::uint64_t c = 0;
    for (std::size_t i = 0; i < stripe; i += 8) {
      a = _mm_crc32_u64(a, load_word(at + i));
      b = _mm_crc32_u64(b, load_word(at + stripe + i));
      c = _mm_crc32_u64(c, load_word(at + 2 * stripe + i));
    }
    a = shift(static_cast<std::uint32_t>(a)) ^ b;
    a = shift(static_cast<std::uint32_t>(a)) ^ c;
  }
  return a;
}

// Long stripes first: bytes come out of memory twice as fast where each stripe goes on for several pages, since the processor foresees it.
__attribute__((target("sse4.2"))) std::uint32_t extend_sse42(std::uint32_t crc, const char* at, std::size_t count) noexcept {
  static const ZeroShift shift(stripe_min);
  static const ZeroShift shift_4(shift, 4);
  static const ZeroShift shift_16(shift_4, 4);
  std::uint64_t a = crc;
  a = extend_striped(a, at, count, 16 * stripe_min, shift_16);
  a = extend_striped(a, at, count, 4 * stripe_min, shift_4);
  a = extend_striped(a, at, count, stripe_min, shift);
  for (; count >= 8; at += 8, count -= 8) a = _mm_crc32_u64(a, load_word(at));
  auto tail = static_cast<std::uint32_t>(a);
  for (; count > 0; ++at, --count) tail = _mm_crc32_u8(tail, static_cast<unsigned char>(*at));
  return tail;
}

#endif

std::uint32_t extend(std::uint32_t crc, Bytes bytes) noexcept {
#if defined(__x86_64__)
  static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
  if (has_instruction) return extend_sse42(crc, bytes.data(), bytes.size());
#endif
  return extend_portable(crc, bytes.data(), bytes.size());
}

}  // namespace

std::uint32_t crc32c(Bytes bytes) noexcept { return ~extend(~0U, bytes); }

std::uint32_t crc32c_extend(std::uint32_t crc_of_a, Bytes b) noexcept { return ~extend(~crc_of_a, b); }

}  // namespace tripos
