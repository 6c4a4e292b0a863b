// RandomMessage: values for the fields of messages in the generated round trip test. The same seed gives the same values.
// Ownership: the views in a message point into its RandomMessage.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <deque>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/uuid.h"
#include "wire/error_code.h"
#include "wire/output.h"
#include "wire/records_payload.h"
#include "wire/types.h"

namespace tripos::wire {

class RandomMessage {
 public:
  explicit RandomMessage(std::uint64_t seed) : engine_(seed) {}

  void boolean(bool& to) { to = below(2) == 1; }
  void int8(std::int8_t& to) { integer(to); }
  void int16(std::int16_t& to) { integer(to); }
  void int32(std::int32_t& to) { integer(to); }
  void int64(std::int64_t& to) { integer(to); }
  void uint16(std::uint16_t& to) { integer(to); }
  void error(ErrorCode& to) { to = static_cast<ErrorCode>(static_cast<std::int16_t>(engine_())); }
  void float64(double& to) { to = static_cast<double>(static_cast<std::int64_t>(engine_())) / 1024.0; }
  void uuid(Uuid& to) {
    for (char& byte : to.bytes) byte = static_cast<char>(engine_());
  }
  void string(std::string& to) { to = text(); }
  void bytes(Bytes& to) { to = kept_.emplace_back(text()); }
  void records(RecordsPayload& to, bool nullable = false) {
    if (nullable && below(4) == 0) {
      to = RecordsPayload::null();
      return;
    }
    to = {};
    to.add(Bytes(kept_.emplace_back(text())));
  }

  template <typename T, typename Fill>
  void array(std::vector<T>& to, Fill fill) {
    to.clear();
    for (std::size_t count = below(4); count > 0; --count) fill(to.emplace_back());
  }
  template <typename T, typename Fill>
  void nullable(std::optional<T>& to, bool null_allowed, Fill fill) {
    to.reset();
    if (!null_allowed || below(3) != 0) fill(to.emplace(T{}));
  }

 private:
  std::size_t below(std::size_t limit) { return engine_() % limit; }

  // Edges as often as others.
  template <typename T>
  void integer(T& to) {
    switch (below(4)) {
      case 0: to = std::numeric_limits<T>::min(); break;
      case 1: to = std::numeric_limits<T>::max(); break;
      default: to = static_cast<T>(engine_()); break;
    }
  }

  // Of lengths around where a varint grows, too.
  std::string text() {
    const std::size_t lengths[] = {0, 1, 7, 126, 127, 128, 300};
    std::string text(lengths[below(std::size(lengths))], '\0');
    for (char& character : text) character = static_cast<char>(engine_());
    return text;
  }

  std::mt19937_64 engine_;
  std::deque<std::string> kept_;
};

template <typename Message, typename Fill>
void expect_round_trips(Fill fill) {
  for (std::int16_t version = Message::version_min; version <= Message::version_max; ++version) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      SCOPED_TRACE(fmt::format("version {}, seed {}", version, seed));
      RandomMessage random(seed);
      Message message;
      if (seed > 0) fill(random, version, message);  // 0: all defaults
      Output encoded;
      message.encode(encoded, version);
      const Buffer bytes = encoded.flatten().value();
      const auto decoded = Message::decode(bytes, version);
      ASSERT_TRUE(decoded) << decoded.error().text();
      if (seed > 0) {
        ASSERT_EQ(*decoded, message);
      }
      Output again;
      decoded->encode(again, version);
      ASSERT_EQ(again.flatten().value(), bytes);
    }
  }
}

}  // namespace tripos::wire
