#include "log/data_directory.h"

#include <gtest/gtest.h>

#include "io/sim/sim_file_system.h"
#include "log/paths.h"

namespace tripos::log {
namespace {

TEST(DataDirectoryTest, OneHolderTellsWhereItListens) {
  io::SimFileSystem files;
  EXPECT_EQ(find_server(files, "data").error().code, ErrorCode::not_found);
  auto held = DataDirectory::acquire(files, "data");
  ASSERT_TRUE(held) << held.error().message;
  EXPECT_EQ(DataDirectory::acquire(files, "data").error().code, ErrorCode::conflict);
  EXPECT_EQ(find_server(files, "data").error().code, ErrorCode::unavailable);
  const ServerInfo info{.pid = 4711, .kafka = "127.0.0.1:9092", .http = "[::1]:8080"};
  ASSERT_TRUE((*held)->publish(info));
  EXPECT_EQ(*find_server(files, "data"), info);
  EXPECT_FALSE((*held)->publish({.pid = 1, .kafka = "a\"b", .http = ""}));
  held->reset();
  EXPECT_FALSE(*files.exists(server_path("data")));
  EXPECT_EQ(find_server(files, "data").error().code, ErrorCode::not_found);
}

TEST(DataDirectoryTest, AStaleServerFileIsNotBelieved) {
  io::SimFileSystem files;
  ASSERT_TRUE(files.make_directories("data"));
  ASSERT_TRUE(io::replace_file(files, server_path("data"), "{\"pid\": 1, \"kafka\": \"x:1\", \"http\": \"y:2\"}"));
  ASSERT_TRUE(io::replace_file(files, lock_path("data"), ""));
  EXPECT_EQ(find_server(files, "data").error().code, ErrorCode::not_found);
  ASSERT_TRUE(DataDirectory::acquire(files, "data"));
  EXPECT_FALSE(*files.exists(server_path("data"))) << "the new holder removes it";
}

TEST(PathsTest, NamesReadBack) {
  EXPECT_EQ(segment_path("d", Offset(42)), "d/00000000000000000042.log");
  EXPECT_EQ(segment_base_offset("00000000000000000042.log"), Offset(42));
  EXPECT_EQ(segment_base_offset("00000000000000000042.index"), std::nullopt);
  EXPECT_EQ(segment_base_offset("42.log"), std::nullopt);
  EXPECT_EQ(segment_base_offset("0000000000000000004x.log"), std::nullopt);
  EXPECT_EQ(segment_base_offset("99999999999999999999.log"), std::nullopt);
  EXPECT_EQ(segment_base_offset("-0000000000000000042.log"), std::nullopt);
  EXPECT_EQ(partition_from_name("0"), PartitionId(0));
  EXPECT_EQ(partition_from_name("12"), PartitionId(12));
  EXPECT_EQ(partition_from_name("012"), std::nullopt);
  EXPECT_EQ(partition_from_name("table"), std::nullopt);
  EXPECT_EQ(partition_from_name(""), std::nullopt);
}

}  // namespace
}  // namespace tripos::log
