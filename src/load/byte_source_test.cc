#include "load/byte_source.h"

#include <gtest/gtest.h>
#include <lz4frame.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <random>

#include "base/check.h"
#include "load/input_files.h"
#include "model/compression.h"

namespace tripos::load {
namespace {

class InputTest : public ::testing::Test {
 protected:
  InputTest() { CHECK(mkdtemp(directory_.data()) != nullptr); }
  ~InputTest() override { std::filesystem::remove_all(directory_); }

  std::string write(const std::string& name, const std::string& bytes) {
    const std::filesystem::path path = directory_ + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
    return path.string();
  }
  Result<std::string> read(const std::string& path) {
    TRIPOS_ASSIGN(ByteSource source, ByteSource::open(path));
    std::string all;
    while (true) {
      TRIPOS_ASSIGN(const Bytes bytes, source.read());
      if (bytes.empty()) break;
      all.append(bytes);
    }
    EXPECT_EQ(source.position_bytes(), std::filesystem::file_size(path));
    compression_ = source.compression();
    return all;
  }
  static std::string compressed(Compression codec, Bytes bytes) {
    Buffer to;
    compress(codec, bytes, to);
    return to;
  }

  std::string directory_ = "/tmp/tripos-input-XXXXXX";
  std::string compression_;
};

constexpr std::array<Compression, 3> codecs = {Compression::gzip, Compression::zstd, Compression::lz4};

std::string words(std::size_t size) {
  std::mt19937 random(1);
  std::string text;
  while (text.size() < size) text += std::to_string(random() % 5000) + " ";
  return text;
}

TEST_F(InputTest, TellsCompressionByContent) {
  const std::string text = words(5'000'000);
  EXPECT_EQ(*read(write("plain.gz", text)), text);
  EXPECT_EQ(compression_, "");
  for (const Compression codec : codecs) {
    EXPECT_EQ(*read(write("file.json", compressed(codec, text))), text) << to_string(codec);
    EXPECT_NE(compression_, "");
    EXPECT_EQ(*read(write("empty", compressed(codec, ""))), "") << to_string(codec);
    // Blocks of one byte many times over: output beyond the room for it, without more input.
    const std::string same(20'000'000, 'x');
    EXPECT_EQ(*read(write("same", compressed(codec, same))), same) << to_string(codec);
    EXPECT_EQ(*read(write("members", compressed(codec, text) + compressed(codec, "") + compressed(codec, "end"))), text + "end")
        << to_string(codec);
  }
}

TEST_F(InputTest, BrokenCompressionIsAnError) {
  const std::string text = words(1'000'000);
  for (const Compression codec : codecs) {
    const std::string whole = compressed(codec, text);
    for (const std::size_t size : {whole.size() - 1, whole.size() / 2, std::size_t{10}}) {
      const auto cut = read(write("cut", whole.substr(0, size)));
      ASSERT_FALSE(cut) << to_string(codec) << " " << size;
      EXPECT_EQ(cut.error().code, ErrorCode::malformed);
      EXPECT_NE(cut.error().message.find("cut"), std::string::npos) << cut.error().message;
    }
    EXPECT_FALSE(read(write("garbage", whole + "garbage"))) << to_string(codec);
    std::string broken = whole;
    for (std::size_t i = 0; i < 64; ++i) broken[whole.size() / 2 + i] = static_cast<char>(broken[whole.size() / 2 + i] ^ 0x55);
    const auto read_broken = read(write("broken", broken));
    EXPECT_TRUE(!read_broken || *read_broken != text) << to_string(codec);
  }
}

TEST_F(InputTest, ShortFiles) {
  EXPECT_EQ(*read(write("none", "")), "");
  EXPECT_EQ(*read(write("one", "1")), "1");
  EXPECT_EQ(*read(write("three", "\x28\xb5\x2f")), "\x28\xb5\x2f");
}

TEST_F(InputTest, NamesWhatCannotBeRead) {
  const auto missing = ByteSource::open("/nonexistent/x.json");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_NE(missing.error().message.find("/nonexistent/x.json"), std::string::npos);
  EXPECT_FALSE(ByteSource::open(directory_));
  EXPECT_FALSE(find_input_files({write("a.json", "1"), "/nonexistent/x.json"}));
  EXPECT_FALSE(find_input_files({"-", "-"}));
}

TEST_F(InputTest, ADirectoryStandsForItsJson) {
  for (const char* name :
       {"d/b.json", "d/a.NDJSON.gz", "d/sub/c.jsonl.zst", "d/.hidden.json", "d/.git/x.json", "d/notes.txt", "d/x.json.bak"})
    write(name, "1");
  const auto found = find_input_files({directory_ + "/d"});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->paths,
            (std::vector<std::string>{directory_ + "/d/a.NDJSON.gz", directory_ + "/d/b.json", directory_ + "/d/sub/c.jsonl.zst"}));
  EXPECT_EQ(found->passed_over, 2U);
  EXPECT_EQ(found->size_bytes, 3U);
  // A file that is named is read whatever its name.
  EXPECT_EQ(find_input_files({directory_ + "/d/notes.txt"})->paths.size(), 1U);
  write("e/notes.txt", "1");
  EXPECT_FALSE(find_input_files({directory_ + "/e"}));
}

}  // namespace
}  // namespace tripos::load
