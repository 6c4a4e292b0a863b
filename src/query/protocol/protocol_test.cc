#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <random>
#include <thread>

#include "query/protocol/channel.h"
#include "query/protocol/messages.h"

namespace tripos::protocol {
namespace {

using std::chrono::milliseconds;

PinnedTable some_table() {
  PinnedTable table;
  table.name = "exams";
  table.topic_id = Uuid::random();
  table.topic = "exams";
  table.schema = "struct<exam_name:string>";
  table.files.push_back(
      {.path = "/d/f.parquet", .partition = PartitionId(1), .begin = Offset(0), .end = Offset(7), .holds_more = true, .schema = "x"});
  table.ranges.push_back({.partition = PartitionId(1),
                          .begin = Offset(7),
                          .end = Offset(9),
                          .slices = {{.descriptor = 0, .begin = 1, .end = 99}},
                          .aborted = {{ProducerId(4), Offset(5), Offset(7)}}});
  return table;
}

std::vector<ToWorker> messages_to_worker() {
  return {Configure{.role = Role::snapshots,
                    .memory_bytes_max = 1U << 30,
                    .nice = 5,
                    .temporary_directory = "/t",
                    .allowed_paths = {"/a", "/b"},
                    .table_directory = "/d"},
          Statement{.order = 3, .text = "SELECT 1", .views = {{"v", "SELECT 2"}}, .output = Output::parquet, .row_count_max = 9},
          Pinned{.tables = {some_table(), some_table()}, .table_names = {"a", "b"}},
          Refused{.code = ErrorCode::not_found, .message = "no"},
          ViewChanged{},
          WriteRange{.order = 4,
                     .topic_id = Uuid::random(),
                     .topic = "t",
                     .schema = "struct<>",
                     .range = some_table().ranges[0],
                     .path = "/p",
                     .footer = {{"k", "v"}}},
          Interrupt{.order = 5}};
}

std::vector<ToServer> messages_to_server() {
  return {Ready{"v1.5.6"},
          NeedTables{.names = {{"topics", "exams"}, {"", "b"}}, .list_names = true},
          ViewChange{.kind = ViewChangeKind::drop_if_exists, .name = "v", .text = ""},
          Columns{{{"a", "bigint"}, {"b", "struct<x:string>"}}},
          Rows{"[1],[2]"},
          ParquetChunk{Buffer("PAR1\0", 5)},
          Wrote{.row_count = 1, .rejected_count = 2, .tombstone_count = 3, .lost_count = 5, .file_bytes = 4},
          Done{7},
          Failed{.code = ErrorCode::timed_out, .message = "late"}};
}

TEST(Messages, ReadBackAsWritten) {
  for (const ToWorker& message : messages_to_worker()) {
    const Buffer bytes = encode(message);
    const auto decoded = decode_to_worker(bytes);
    ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
    EXPECT_EQ(decoded->index(), message.index());
    EXPECT_EQ(encode(*decoded), bytes);
  }
  for (const ToServer& message : messages_to_server()) {
    const Buffer bytes = encode(message);
    const auto decoded = decode_to_server(bytes);
    ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
    EXPECT_EQ(decoded->index(), message.index());
    EXPECT_EQ(encode(*decoded), bytes);
  }
}

TEST(Messages, EveryCutAndEveryAddedByteIsMalformed) {
  for (const ToWorker& message : messages_to_worker()) {
    const Buffer bytes = encode(message);
    for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(decode_to_worker(Bytes(bytes).substr(0, size)).has_value());
    EXPECT_FALSE(decode_to_worker(bytes + "x").has_value());
  }
}

TEST(Messages, RandomBytesNeverCrash) {
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    Buffer bytes;
    if (round % 2 == 0) {
      bytes = encode(messages_to_worker()[random() % 7]);
      for (int i = 0; i < 3; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
    } else {
      for (std::size_t i = random() % 64; i > 0; --i) bytes.push_back(static_cast<char>(random() % 12));
    }
    (void)decode_to_worker(bytes);
    (void)decode_to_server(bytes);
  }
}

TEST(Messages, ACountAloneAllocatesNothing) {
  Buffer bytes("\2", 1);  // Pinned
  append_be(bytes, std::uint32_t{0xFFFFFFFF});
  EXPECT_FALSE(decode_to_worker(bytes).has_value());
}

class ChannelTest : public testing::Test {
 protected:
  ChannelTest() : ends_(Channel::socket_pair().value()), a_(std::move(ends_.first)), b_(std::move(ends_.second)) {}
  std::pair<Descriptor, Descriptor> ends_;
  Channel a_;
  Channel b_;
};

TEST_F(ChannelTest, FramesKeepTheirOrderAndBounds) {
  std::thread sender([this] {
    ASSERT_TRUE(a_.send("").has_value());
    ASSERT_TRUE(a_.send("one").has_value());
    ASSERT_TRUE(a_.send(Buffer(3'000'000, 'z')).has_value());
    ASSERT_TRUE(a_.send("end").has_value());
  });
  EXPECT_EQ(b_.receive().value()->body, "");
  EXPECT_EQ(b_.receive().value()->body, "one");
  EXPECT_EQ(b_.receive().value()->body, Buffer(3'000'000, 'z'));
  EXPECT_EQ(b_.receive().value()->body, "end");
  sender.join();
}

TEST_F(ChannelTest, DescriptorsArriveWithTheirFrame) {
  // Each is a file with its number as content, and there are more of them than one control message can hold.
  std::vector<Descriptor> files;
  std::vector<int> numbers;
  for (int i = 0; i < 300; ++i) {
    const int file = ::memfd_create("test", MFD_CLOEXEC);
    ASSERT_GE(file, 0);
    files.emplace_back(file);
    ASSERT_EQ(::pwrite(file, &i, sizeof i, 0), static_cast<ssize_t>(sizeof i));
    numbers.push_back(file);
  }
  std::thread sender([&] {
    ASSERT_TRUE(a_.send("none").has_value());
    ASSERT_TRUE(a_.send(Buffer(100, 'm'), numbers).has_value());
    ASSERT_TRUE(a_.send("two", std::span(numbers).first(2)).has_value());
  });
  EXPECT_TRUE(b_.receive().value()->descriptors.empty());
  for (const std::size_t count : {std::size_t{300}, std::size_t{2}}) {
    const auto frame = b_.receive();
    ASSERT_TRUE(frame.has_value()) << frame.error().message;
    ASSERT_EQ((*frame)->descriptors.size(), count);
    for (int i = 0; i < static_cast<int>(count); ++i) {
      int content = -1;
      ASSERT_EQ(::pread((*frame)->descriptors[static_cast<std::size_t>(i)].number(), &content, sizeof content, 0),
                static_cast<ssize_t>(sizeof content));
      EXPECT_EQ(content, i);
    }
  }
  sender.join();
}

TEST_F(ChannelTest, AReceiveThatTimesOutKeepsWhatCame) {
  EXPECT_EQ(b_.receive(milliseconds(1)).error().code, ErrorCode::timed_out);
  ASSERT_TRUE(a_.send("late").has_value());
  EXPECT_EQ(b_.receive(milliseconds(1000)).value()->body, "late");
}

TEST_F(ChannelTest, AnEndIsSeenByTheOther) {
  a_.shut_down();
  EXPECT_FALSE(b_.receive().value().has_value());
  EXPECT_EQ(b_.send("x").error().code, ErrorCode::unavailable);
}

TEST(ChannelOfBytes, AClaimedLengthBeyondTheLimitIsRefused) {
  auto ends = Channel::socket_pair().value();
  Buffer header;
  append_be(header, static_cast<std::uint32_t>(frame_size_max + 1));
  append_be(header, std::uint16_t{0});
  ASSERT_EQ(::write(ends.first.number(), header.data(), header.size()), static_cast<ssize_t>(header.size()));
  Channel channel(std::move(ends.second));
  EXPECT_EQ(channel.receive().error().code, ErrorCode::malformed);
}

TEST(ChannelOfBytes, AnEndInTheMiddleOfAFrameIsAnError) {
  auto ends = Channel::socket_pair().value();
  ASSERT_EQ(::write(ends.first.number(), "\0\0\0\5\0\0ab", 8), 8);
  ends.first = Descriptor();
  Channel channel(std::move(ends.second));
  EXPECT_EQ(channel.receive().error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace tripos::protocol
