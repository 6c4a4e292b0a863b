#include "app/doctor/check.h"

#include <gtest/gtest.h>
#include <linux/magic.h>

namespace tripos::app {
namespace {

constexpr std::uint64_t mb = std::uint64_t{1} << 20;

std::vector<Health> healths(const std::vector<Diagnosis>& diagnoses) {
  std::vector<Health> found;
  for (const Diagnosis& each : diagnoses) {
    found.push_back(each.health);
    EXPECT_EQ(each.remedy.empty(), each.health == Health::ok) << each.detail;
  }
  return found;
}

TEST(Doctor, DiskSpace) {
  EXPECT_EQ(judge_disk_space({.total_bytes = 100'000 * mb, .free_bytes = 50'000 * mb}).health, Health::ok);
  EXPECT_EQ(judge_disk_space({.total_bytes = 100'000 * mb, .free_bytes = 1'000 * mb}).health, Health::warn);
  EXPECT_EQ(judge_disk_space({.total_bytes = 100'000 * mb, .free_bytes = 10 * mb}).health, Health::fail);
}

TEST(Doctor, OpenFiles) {
  EXPECT_EQ(judge_open_files(65536, 1000).health, Health::ok);
  EXPECT_EQ(judge_open_files(2048, 1000).health, Health::warn);
  EXPECT_EQ(judge_open_files(1024, 1000).health, Health::fail);
}

TEST(Doctor, SyncTime) {
  EXPECT_EQ(judge_sync_time(std::chrono::microseconds(150)).health, Health::ok);
  EXPECT_EQ(judge_sync_time(std::chrono::milliseconds(30)).health, Health::warn);
  EXPECT_EQ(judge_sync_time(std::chrono::seconds(1)).health, Health::fail);
}

TEST(Doctor, FileSystem) {
  EXPECT_EQ(judge_file_system(EXT4_SUPER_MAGIC).health, Health::ok);
  EXPECT_EQ(judge_file_system(TMPFS_MAGIC).health, Health::warn);
  EXPECT_EQ(judge_file_system(NFS_SUPER_MAGIC).health, Health::warn);
}

TEST(Doctor, Recovery) {
  EXPECT_EQ(judge_unsynced(4 * mb, 0).health, Health::ok);
  EXPECT_EQ(judge_unsynced(4000 * mb, 0).health, Health::warn);
  EXPECT_EQ(judge_unsynced(0, 1).health, Health::fail);
}

TEST(Doctor, Settings) {
  Settings settings;
  settings.data = "/var/lib/tripos";
  EXPECT_EQ(healths(judge_settings(settings)), std::vector{Health::ok});
  settings.broker = {{"num.partitions", "many"}};
  EXPECT_EQ(healths(judge_settings(settings)), std::vector{Health::fail});
  settings.broker = {{"offsets.retention.minutes", "5"}};
  EXPECT_EQ(healths(judge_settings(settings)), std::vector{Health::warn});
  settings.broker = {};
  settings.kafka = "0.0.0.0:9092";
  settings.http = "127.0.0.1:9080";
  EXPECT_EQ(healths(judge_settings(settings)), std::vector{Health::warn});
  settings.allowed_files = {"/var/lib", "/var/library"};
  EXPECT_EQ(healths(judge_settings(settings)), (std::vector{Health::warn, Health::warn}));
}

}  // namespace
}  // namespace tripos::app
