#include "app/doctor/check.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "app/cli/terminal.h"
#include "broker/config/broker_config.h"
#include "log/checkpoint.h"
#include "log/paths.h"

namespace tripos::app {
namespace {

constexpr std::uint64_t free_bytes_fail = std::uint64_t{64} << 20;
constexpr std::uint64_t free_bytes_warn = std::uint64_t{2} << 30;
constexpr std::uint64_t files_of_a_partition = 2;  // a segment that is written, one that is read
constexpr std::uint64_t files_of_the_server = 1000;
constexpr std::chrono::microseconds sync_time_warn{20'000};
constexpr std::chrono::microseconds sync_time_fail{500'000};
constexpr int sync_count = 5;
constexpr std::uint64_t recovery_bytes_warn = std::uint64_t{1} << 30;

// The nearest directory that exists, of `path` and those above it.
std::string existing_parent(std::string path) {
  struct stat status {};
  while (::stat(path.c_str(), &status) != 0) {
    const std::string above = io::parent_of(path);
    if (above == path) break;
    path = above;
  }
  return path;
}

std::uint64_t count_partitions(io::FileSystem& files, const std::string& data) {
  std::uint64_t count = 0;
  const auto topics = files.list(log::topics_directory(data));
  if (!topics) return count;
  for (const io::DirectoryEntry& topic : *topics) {
    const auto entries = files.list(log::topics_directory(data) + "/" + topic.name);
    if (!entries) continue;
    count += static_cast<std::uint64_t>(std::ranges::count_if(
        *entries, [](const io::DirectoryEntry& entry) { return entry.directory && log::partition_from_name(entry.name).has_value(); }));
  }
  return count;
}

// What a server pays for each acknowledgement: the median of a few appends with a sync each, in a file that is removed again.
Result<std::chrono::microseconds> measure_sync(io::FileSystem& files, const std::string& data) {
  const std::string path = data + "/tmp-doctor";
  std::array<std::chrono::microseconds, sync_count> times{};
  {
    TRIPOS_ASSIGN(const auto file, files.open(path, io::OpenMode::replace));
    const Buffer bytes(1024, 'x');
    for (std::size_t i = 0; i < times.size(); ++i) {
      const auto begin = std::chrono::steady_clock::now();
      TRIPOS_TRY(file->write_at(i * bytes.size(), std::array{Bytes(bytes)}));
      TRIPOS_TRY(file->sync_data());
      times.at(i) = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
    }
  }
  TRIPOS_TRY(files.remove(path));
  std::ranges::sort(times);
  return times[sync_count / 2];
}

bool is_loopback(const std::string& address) {
  return address.starts_with("127.") || address.starts_with("localhost:") || address.starts_with("[::1]");
}

bool lies_below(std::string_view path, std::string_view directory) {
  return directory == "/" || path == directory || (path.starts_with(directory) && path.substr(directory.size()).starts_with('/'));
}

}  // namespace

Diagnosis judge_disk_space(const io::DiskSpace& space) {
  Diagnosis diagnosis{.name = "disk space",
                      .detail = fmt::format("{} free of {}", readable_bytes(space.free_bytes), readable_bytes(space.total_bytes))};
  if (space.free_bytes < free_bytes_fail) {
    diagnosis.health = Health::fail;
    diagnosis.remedy = "producers are refused until there is room: free some, or shorten retention.ms of large topics";
  } else if (space.free_bytes < free_bytes_warn) {
    diagnosis.health = Health::warn;
    diagnosis.remedy = "little is left: free some, or shorten retention.ms of large topics";
  }
  return diagnosis;
}

Diagnosis judge_open_files(std::uint64_t limit, std::uint64_t partition_count) {
  const std::uint64_t wanted = files_of_the_server + files_of_a_partition * partition_count;
  Diagnosis diagnosis{.name = "open files",
                      .detail = fmt::format("at most {}; {} partitions want about {}", limit, partition_count, wanted)};
  if (limit >= wanted) return diagnosis;
  diagnosis.health = limit * 2 < wanted ? Health::fail : Health::warn;
  diagnosis.remedy = fmt::format("raise it before the server starts: ulimit -n {}, or LimitNOFILE= of its systemd unit",
                                 std::max<std::uint64_t>(65536, 2 * wanted));
  return diagnosis;
}

Diagnosis judge_sync_time(std::chrono::microseconds median) {
  Diagnosis diagnosis{.name = "sync time",
                      .detail = fmt::format("{:.2f} ms for 1 KB: what each acknowledgement waits for at least",
                                            static_cast<double>(median.count()) / 1000)};
  if (median < sync_time_warn) return diagnosis;
  diagnosis.health = median < sync_time_fail ? Health::warn : Health::fail;
  diagnosis.remedy = "the disk is slow at making things durable: a local SSD takes well below a millisecond";
  return diagnosis;
}

Diagnosis judge_file_system(std::uint64_t type_number) {
  Diagnosis diagnosis{.name = "file system", .detail = fmt::format("type {:#x}", type_number)};
  switch (type_number) {
    case EXT4_SUPER_MAGIC: diagnosis.detail = "ext4"; break;
    case XFS_SUPER_MAGIC: diagnosis.detail = "XFS"; break;
    case BTRFS_SUPER_MAGIC: diagnosis.detail = "Btrfs"; break;
    case TMPFS_MAGIC:
      diagnosis = {.name = "file system",
                   .health = Health::warn,
                   .detail = "tmpfs",
                   .remedy = "it is memory: a reboot loses everything. Use a disk: --data DIR"};
      break;
    case OVERLAYFS_SUPER_MAGIC:
      diagnosis = {.name = "file system",
                   .health = Health::warn,
                   .detail = "overlayfs",
                   .remedy = "it is a container's own: removed with it. Mount a volume at the data directory"};
      break;
    case NFS_SUPER_MAGIC:
    case SMB2_SUPER_MAGIC:
    case FUSE_SUPER_MAGIC:
      diagnosis = {.name = "file system",
                   .health = Health::warn,
                   .detail = "a network's or a user's",
                   .remedy = "locks and syncs may not hold there: use a local disk for --data"};
      break;
    default: break;
  }
  return diagnosis;
}

std::vector<Diagnosis> judge_settings(const Settings& settings) {
  std::vector<Diagnosis> diagnoses;
  const broker::ConfigValues values(settings.broker.begin(), settings.broker.end());
  const auto config = broker::BrokerConfig::make(values);
  if (!config) {
    diagnoses.push_back({.name = "settings",
                         .health = Health::fail,
                         .detail = config.error().message,
                         .remedy = "the server does not start with it: correct the file or the flag"});
    return diagnoses;
  }
  for (const auto& [name, address] : {std::pair("Kafka", settings.kafka.value_or(default_kafka_address)),
                                      std::pair("HTTP", settings.http.value_or(default_http_address))}) {
    if (is_loopback(address)) continue;
    diagnoses.push_back(
        {.name = "settings",
         .health = Health::warn,
         .detail = fmt::format("{} listens on {}", name, address),
         .remedy = "whoever reaches that port may read and write everything, there are no passwords yet: let a firewall decide who does"});
  }
  for (const std::string& directory : settings.allowed_files) {
    if (!lies_below(settings.data, directory)) continue;
    diagnoses.push_back({.name = "settings",
                         .health = Health::warn,
                         .detail = fmt::format("statements may read files in {}, the data directory among them", directory),
                         .remedy = "name a directory of its own for --allow-files"});
  }
  if (config->integer("offsets.retention.minutes") < 24 * 60) {
    diagnoses.push_back(
        {.name = "settings",
         .health = Health::warn,
         .detail = fmt::format("offsets.retention.minutes={}", config->integer("offsets.retention.minutes")),
         .remedy = "a group that rests for so long begins anew, and reads everything again or misses it: Kafka's default is 10080"});
  }
  if (diagnoses.empty())
    diagnoses.push_back({.name = "settings", .detail = fmt::format("{} of the broker's are set, none is risky", settings.broker.size())});
  return diagnoses;
}

Diagnosis judge_unsynced(std::uint64_t bytes_to_read, std::size_t sync_failed_count) {
  Diagnosis diagnosis{.name = "recovery", .detail = fmt::format("a start reads {} behind the checkpoints", readable_bytes(bytes_to_read))};
  if (sync_failed_count > 0) {
    diagnosis.health = Health::fail;
    diagnosis.detail = fmt::format("a sync has failed in {} partitions", sync_failed_count);
    diagnosis.remedy =
        "the disk could not store what it had taken: look at the kernel's log (dmesg) and replace it. The next start writes the tails anew";
  } else if (bytes_to_read > recovery_bytes_warn) {
    diagnosis.health = Health::warn;
    diagnosis.remedy = "the next start takes long: checkpoints could not be written lately, the server's log says why";
  }
  return diagnosis;
}

Diagnosis check_directory(const std::string& data) {
  struct stat status {};
  if (::stat(data.c_str(), &status) != 0) {
    if (errno != ENOENT) {
      return {.name = "directory",
              .health = Health::fail,
              .detail = fmt::format("{}: {}", data, std::strerror(errno)),
              .remedy = "give the server's user the right to search the directories above it"};
    }
    const std::string parent = existing_parent(data);
    if (::access(parent.c_str(), W_OK | X_OK) == 0)
      return {.name = "directory", .detail = fmt::format("{} does not exist; a server makes it", data)};
    return {.name = "directory",
            .health = Health::fail,
            .detail = fmt::format("{} does not exist, and {} can't be written", data, parent),
            .remedy = "make it, and give it to the server's user; or name another: --data DIR"};
  }
  if (!S_ISDIR(status.st_mode)) {
    return {.name = "directory", .health = Health::fail, .detail = data + " is no directory", .remedy = "name another: --data DIR"};
  }
  if (::access(data.c_str(), R_OK | W_OK | X_OK) != 0) {
    return {.name = "directory",
            .health = Health::fail,
            .detail = fmt::format("{}: {}", data, std::strerror(errno)),
            .remedy = fmt::format("give it to the server's user: chown -R USER {}", data)};
  }
  if ((status.st_mode & S_IWOTH) != 0) {
    return {.name = "directory", .health = Health::warn, .detail = data + " can be written by everybody", .remedy = "chmod o-w " + data};
  }
  return {.name = "directory", .detail = data};
}

std::vector<Diagnosis> check_disk(io::FileSystem& files, const std::string& data) {
  std::vector<Diagnosis> diagnoses;
  const std::string directory = existing_parent(data);
  if (const auto space = files.space(directory)) {
    diagnoses.push_back(judge_disk_space(*space));
  } else {
    diagnoses.push_back(
        {.name = "disk space", .health = Health::fail, .detail = space.error().message, .remedy = "see that the disk is mounted"});
  }
  struct statfs status {};
  if (::statfs(directory.c_str(), &status) == 0) diagnoses.push_back(judge_file_system(static_cast<std::uint64_t>(status.f_type)));
  if (::access(data.c_str(), W_OK) != 0) return diagnoses;  // told already
  if (const auto time = measure_sync(files, data)) {
    diagnoses.push_back(judge_sync_time(*time));
  } else {
    diagnoses.push_back({.name = "sync time",
                         .health = Health::fail,
                         .detail = time.error().message,
                         .remedy = "nothing can be made durable there: look at the kernel's log (dmesg)"});
  }
  return diagnoses;
}

Diagnosis check_open_files(io::FileSystem& files, const std::string& data) {
  struct rlimit limit {};
  (void)::getrlimit(RLIMIT_NOFILE, &limit);
  return judge_open_files(limit.rlim_cur, count_partitions(files, data));
}

Diagnosis check_clock(const std::string& data) {
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  struct stat status {};
  if (::stat(log::metadata_directory(data).c_str(), &status) == 0 && status.st_mtime > now + 60) {
    return {.name = "clock",
            .health = Health::warn,
            .detail = fmt::format("it was {} s later when the directory was last changed", status.st_mtime - now),
            .remedy = "records are stamped by it, and retention goes by the stamps: set it by NTP"};
  }
  struct timex state {};
  const bool known = ::adjtimex(&state) >= 0;
  if (known && (state.status & STA_UNSYNC) != 0) {
    return {.name = "clock",
            .health = Health::warn,
            .detail = "nobody keeps it right",
            .remedy = "records are stamped by it: run chrony or systemd-timesyncd on this machine (a container shows its host's)"};
  }
  return {.name = "clock", .detail = known ? "kept right" : "whether it is kept right is not shown here"};
}

Diagnosis check_recovery(io::FileSystem& files, const std::string& data) {
  std::uint64_t bytes = 0;
  std::size_t failed = 0;
  std::string unreadable;
  const auto look_at = [&](const std::string& directory) {
    const auto entries = files.list(directory);
    if (!entries) return;
    const auto checkpoint = log::read_checkpoint(files, directory);
    if (!checkpoint) unreadable = checkpoint.error().message;
    for (const io::DirectoryEntry& entry : *entries) {
      const std::string path = directory + "/" + entry.name;
      if (path == log::sync_failed_path(directory)) ++failed;
      const auto base = log::segment_base_offset(entry.name);
      if (!base || !checkpoint) continue;
      const auto file = files.open(path, io::OpenMode::read);
      const auto size = file ? (*file)->size() : Result<std::uint64_t>(0);
      if (!size) continue;
      if (!*checkpoint || *base > (*checkpoint)->segment) {
        bytes += *size;
      } else if (*base == (*checkpoint)->segment) {
        bytes += *size - std::min(*size, (*checkpoint)->position);
      }
    }
  };
  look_at(log::metadata_directory(data));
  if (const auto topics = files.list(log::topics_directory(data))) {
    for (const io::DirectoryEntry& topic : *topics) {
      const std::string directory = log::topics_directory(data) + "/" + topic.name;
      const auto entries = files.list(directory);
      if (!entries) continue;
      for (const io::DirectoryEntry& entry : *entries) {
        if (log::partition_from_name(entry.name)) look_at(directory + "/" + entry.name);
      }
    }
  }
  if (!unreadable.empty()) {
    return {.name = "recovery",
            .health = Health::fail,
            .detail = unreadable,
            .remedy = "tripos log verify says what is damaged, and changes nothing"};
  }
  return judge_unsynced(bytes, failed);
}

}  // namespace tripos::app
