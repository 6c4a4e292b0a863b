// What `tripos doctor` looks at: each check looks at one thing, changes nothing that stays, and says what to do if it is not as it should
// be.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "app/config/settings.h"
#include "io/file_system.h"

namespace tripos::app {

enum class Health { ok, warn, fail };

struct Diagnosis {
  std::string name = {};  // "disk space"
  Health health = Health::ok;
  std::string detail = {};  // what was found
  std::string remedy = {};  // what to do; empty if all is well
};

// ---- Verdicts on figures. Exposed for tests.
[[nodiscard]] Diagnosis judge_disk_space(const io::DiskSpace& space);
[[nodiscard]] Diagnosis judge_open_files(std::uint64_t limit, std::uint64_t partition_count);
[[nodiscard]] Diagnosis judge_sync_time(std::chrono::microseconds median);
[[nodiscard]] Diagnosis judge_file_system(std::uint64_t type_number);
[[nodiscard]] std::vector<Diagnosis> judge_settings(const Settings& settings);
[[nodiscard]] Diagnosis judge_unsynced(std::uint64_t bytes_to_read, std::size_t sync_failed_count);

// ---- Looking
[[nodiscard]] Diagnosis check_directory(const std::string& data);
[[nodiscard]] std::vector<Diagnosis> check_disk(io::FileSystem& files, const std::string& data);
[[nodiscard]] Diagnosis check_open_files(io::FileSystem& files, const std::string& data);
[[nodiscard]] Diagnosis check_clock(const std::string& data);
[[nodiscard]] Diagnosis check_recovery(io::FileSystem& files, const std::string& data);

}  // namespace tripos::app
