// Broken input never crashes the codec and never makes it allocate beyond bounds: every truncation of every golden message, random
// byte flips, forged lengths. To be run with address and undefined sanitizers, too.
#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <limits>
#include <new>
#include <random>

#include "golden_file.h"
#include "wire/framing.h"

namespace {

// What the program has allocated through new, and the most that it had since the last reset.
std::size_t allocated_bytes = 0;
std::size_t allocated_bytes_peak = 0;

void* counted(void* block) {
  if (block == nullptr) std::abort();
  allocated_bytes += malloc_usable_size(block);
  allocated_bytes_peak = std::max(allocated_bytes_peak, allocated_bytes);
  return block;
}

void uncounted(void* block) noexcept {
  if (block != nullptr) allocated_bytes -= malloc_usable_size(block);
  std::free(block);
}

}  // namespace

void* operator new(std::size_t size) { return counted(std::malloc(size == 0 ? 1 : size)); }
void* operator new[](std::size_t size) { return counted(std::malloc(size == 0 ? 1 : size)); }
void operator delete(void* block) noexcept { uncounted(block); }
void operator delete[](void* block) noexcept { uncounted(block); }
void operator delete(void* block, std::size_t) noexcept { uncounted(block); }
void operator delete[](void* block, std::size_t) noexcept { uncounted(block); }

namespace tripos::wire {
namespace {

// The decoder grants a message 16 times its bytes and a mebibyte; strings and the encoding come on top.
constexpr std::size_t allocation_per_byte = 24;
constexpr std::size_t allocation_free_bytes = std::size_t{2} << 20;

// Decodes and encodes; only how much that allocates matters, and that it ends.
bool survives(const MessageRow& row, Bytes bytes, std::int16_t version) {
  const std::size_t before = allocated_bytes;
  allocated_bytes_peak = allocated_bytes;
  const bool decoded = row.transcode(bytes, version).has_value();
  EXPECT_LE(allocated_bytes_peak - before, bytes.size() * allocation_per_byte + allocation_free_bytes)
      << row.name << " version " << version;
  return decoded;
}

const std::vector<GoldenLine>& committed_lines() {
  static const std::vector<GoldenLine> lines = read_golden_file(TRIPOS_GOLDEN_FILE);
  return lines;
}

TEST(Malformed, EveryTruncationIsSurvived) {
  for (const GoldenLine& golden : committed_lines()) {
    if (golden.kind != "message") continue;
    const MessageRow& row = *find_row(golden.name);
    for (std::size_t size = 0; size < golden.bytes.size(); ++size) {
      const Buffer cut(golden.bytes, 0, size);  // of its own, so that a sanitizer sees a read behind its end
      EXPECT_FALSE(survives(row, cut, golden.version)) << row.name << " version " << golden.version << " cut to " << size << " bytes";
    }
  }
}

TEST(Malformed, RandomDamageIsSurvived) {
  std::mt19937_64 random(20180128);
  for (const GoldenLine& golden : committed_lines()) {
    if (golden.kind != "message" || golden.bytes.empty()) continue;
    const MessageRow& row = *find_row(golden.name);
    for (int i = 0; i < 200; ++i) {
      Buffer damaged = golden.bytes;
      for (std::size_t flips = 1 + random() % 4; flips > 0; --flips) damaged[random() % damaged.size()] = static_cast<char>(random());
      survives(row, damaged, golden.version);
    }
  }
}

// Every place of every message says that 2^31-2 or 2^32-1 elements, bytes or characters follow.
TEST(Malformed, ForgedLengthsAreSurvived) {
  const Buffer forgeries[] = {Buffer("\x7f\xff\xff\xfe", 4),     Buffer("\xff\xff\xff\xff", 4),     Buffer("\x80\x00\x00\x00", 4),
                              Buffer("\xff\xff\xff\xff\x07", 5), Buffer("\xff\xff\xff\xff\x0f", 5), Buffer("\xff\xff\xff\xff\xff", 5)};
  for (const GoldenLine& golden : committed_lines()) {
    if (golden.kind != "message") continue;
    const MessageRow& row = *find_row(golden.name);
    for (std::size_t at = 0; at < golden.bytes.size(); ++at) {
      for (const Buffer& forgery : forgeries) {
        Buffer forged = golden.bytes;
        forged.replace(at, forgery.size(), forgery);
        survives(row, forged, golden.version);
      }
    }
  }
}

// Elements that are small on the wire and big in memory: 2 bytes for a topic without name.
TEST(Malformed, ManySmallElementsAreRefused) {
  constexpr std::int32_t topic_count = 10'000'000;
  Buffer bytes;
  append_be(bytes, topic_count);
  bytes.append(std::size_t{topic_count} * 2, '\0');
  EXPECT_FALSE(survives(*find_row("MetadataRequest"), bytes, 0));
  const auto decoded = find_row("MetadataRequest")->transcode(bytes, 0);
  ASSERT_FALSE(decoded);
  EXPECT_NE(decoded.error().text().find("more memory than a message"), std::string::npos) << decoded.error().text();
}

TEST(Malformed, VersionsThatAMessageLacksAreRefused) {
  for (const MessageRow& row : message_table()) {
    const Buffer zeros(64, '\0');
    EXPECT_FALSE(row.transcode(zeros, static_cast<std::int16_t>(row.version_min - 1))) << row.name;
    EXPECT_FALSE(row.transcode(zeros, static_cast<std::int16_t>(row.version_max + 1))) << row.name;
    EXPECT_FALSE(row.transcode(zeros, std::numeric_limits<std::int16_t>::max())) << row.name;
  }
}

TEST(Malformed, HeadersAreSurvived) {
  std::mt19937_64 random(3280);
  for (const GoldenLine& golden : committed_lines()) {
    if (golden.kind != "header") continue;
    for (std::size_t size = 0; size < golden.bytes.size(); ++size) {
      const Buffer cut(golden.bytes, 0, size);
      const MessageRow& row = *find_row(golden.name);
      if (row.kind == MessageKind::request) {
        EXPECT_FALSE(decode_request_frame(cut)) << golden.name << " " << golden.version << " cut to " << size;
      } else {
        EXPECT_FALSE(decode_response_frame(cut, row.api_key, golden.version)) << golden.name << " " << golden.version << " cut to " << size;
      }
    }
    for (int i = 0; i < 100 && !golden.bytes.empty(); ++i) {
      Buffer damaged = golden.bytes;
      damaged[random() % damaged.size()] = static_cast<char>(random());
      (void)decode_request_frame(damaged);
    }
  }
}

}  // namespace
}  // namespace tripos::wire
