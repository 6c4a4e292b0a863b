#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/real_text.h"
#include "base/uuid.h"
#include "base/varint.h"

namespace tripos {
namespace {

TEST(RealText, IsJavas) {
  EXPECT_EQ(real_text(std::numeric_limits<double>::max()), "1.7976931348623157E308");
  EXPECT_EQ(real_text(std::numeric_limits<double>::denorm_min()), "4.9E-324");
  EXPECT_EQ(real_text(2e-3), "0.002");
  EXPECT_EQ(real_text(9.99e-4), "9.99E-4");
  EXPECT_EQ(real_text(100.0), "100.0");
  EXPECT_EQ(real_text(9'999'999.0), "9999999.0");
  EXPECT_EQ(real_text(1e7), "1.0E7");
  EXPECT_EQ(real_text(-0.0), "-0.0");
  EXPECT_EQ(real_text(-std::numeric_limits<double>::infinity()), "-Infinity");
  EXPECT_EQ(real_text(std::numeric_limits<double>::quiet_NaN()), "NaN");
  EXPECT_EQ(real_text(1.1F), "1.1");
}

TEST(Crc32c, KnownValues) {  // RFC 3720, B.4
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(crc32c(Buffer(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(crc32c(Buffer(32, '\xff')), 0x62A8AB43U);
  EXPECT_EQ(crc32c(""), 0U);
}

TEST(Crc32c, StripesAgreeWithBytewiseExtension) {
  std::mt19937 random(7);
  for (const std::size_t size : {1U, 7U, 3071U, 3072U, 3073U, 12'287U, 12'288U, 30'000U, 49'151U, 49'152U, 49'153U, 170'001U}) {
    Buffer bytes(size, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    std::uint32_t one_by_one = crc32c("");
    for (const char& c : bytes) one_by_one = crc32c_extend(one_by_one, Bytes(&c, 1));
    EXPECT_EQ(crc32c(bytes), one_by_one) << size;
  }
}

TEST(Varint, RoundTripsAtEveryBoundary) {
  for (int shift = 0; shift < 64; ++shift) {
    for (const std::int64_t near : {-1, 0, 1}) {
      for (const std::int64_t sign : {-1, 1}) {
        const auto value =
            static_cast<std::int64_t>(static_cast<std::uint64_t>(sign) * ((std::uint64_t{1} << shift) + static_cast<std::uint64_t>(near)));
        Buffer buffer;
        append_varlong(buffer, value);
        EXPECT_EQ(buffer.size(), varlong_size(value));
        std::size_t position = 0;
        std::int64_t read = 0;
        ASSERT_TRUE(read_varlong(buffer, position, read));
        EXPECT_EQ(read, value);
        EXPECT_EQ(position, buffer.size());
        for (std::size_t cut = 0; cut < buffer.size(); ++cut) {
          position = 0;
          EXPECT_FALSE(read_varlong(Bytes(buffer).substr(0, cut), position, read));
        }
      }
    }
  }
}

TEST(Varint, RejectsBitsBeyondTheWidth) {
  std::size_t position = 0;
  std::uint32_t value = 0;
  EXPECT_TRUE(read_unsigned_varint(Bytes("\xff\xff\xff\xff\x0f", 5), position, value));
  EXPECT_EQ(value, std::numeric_limits<std::uint32_t>::max());
  position = 0;
  EXPECT_FALSE(read_unsigned_varint(Bytes("\xff\xff\xff\xff\x10", 5), position, value));
  position = 0;
  EXPECT_FALSE(read_unsigned_varint(Bytes("\x80\x80\x80\x80\x80\x01", 6), position, value));
}

TEST(Uuid, TextRoundTripsAndBadTextIsRefused) {
  for (int i = 0; i < 100; ++i) {
    const Uuid id = Uuid::random();
    const auto again = Uuid::from_text(id.text());
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(*again, id);
    EXPECT_NE(id.text().front(), '-');
  }
  EXPECT_FALSE(Uuid::from_text("short").has_value());
  EXPECT_FALSE(Uuid::from_text("AAAAAAAAAAAAAAAAAAAAA!").has_value());
  EXPECT_FALSE(Uuid::from_text("AAAAAAAAAAAAAAAAAAAAAB").has_value()) << "bits beyond the sixteenth byte";
}

}  // namespace
}  // namespace tripos
