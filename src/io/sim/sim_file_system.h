// SimFileSystem: a disk in memory that can fail and lose power (design, 7).
//
// Each file has what everybody sees (the page cache) and what is on the disk, with the changes between them in a list until a sync applies
// them; each directory the same for names. A power cut keeps of the lists what `Survival` says: everything, nothing, a beginning that
// ends in a torn write, or any selection of it with writes torn anywhere (reordering). A killed process loses nothing, and syncs nothing.
// A sync that fails drops the list: the cache goes on showing what will never reach the disk, as Linux does.
// Threads: none (see SimLoop). Handles must not outlive this.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "io/file_system.h"

namespace tripos::io {

enum class Operation { read, open, write, sync_data, truncate, reserve, rename, link, remove, make_directory, sync_directory, sync_all };

[[nodiscard]] std::string_view to_string(Operation operation) noexcept;

// What a crash leaves of what was not synced. `killed`: only the process has ended; the page cache is there, and still not synced.
enum class Survival { everything, nothing, beginning, selection, killed };

[[nodiscard]] std::string_view to_string(Survival survival) noexcept;

class SimFileSystem final : public FileSystem {
 public:
  explicit SimFileSystem(std::uint64_t seed = 0);
  ~SimFileSystem() override;

  // --- Faults

  // Operations that change something so far (all but reads).
  [[nodiscard]] std::uint64_t operation_count() const noexcept { return operation_count_; }
  // When so many operations have been done, the power goes in the next one: it fails (a write may leave a part of itself), and whatever
  // comes after it does nothing and fails.
  void cut_power_at(std::uint64_t operation_count) noexcept { cut_at_ = operation_count; }
  [[nodiscard]] bool power_is_cut() const noexcept { return power_is_cut_; }
  // What the disk holds when the power is back, or the process is started anew. This disk goes on as if nothing had happened.
  [[nodiscard]] std::unique_ptr<SimFileSystem> after_power_cut(Survival survival, std::uint64_t seed) const;
  // Of all names and bytes, synced or not: equal disks have equal hashes.
  [[nodiscard]] std::uint64_t content_hash() const;
  // Called before each operation that would change something, while all before it is done and nothing of it is.
  void before_change(std::function<void()> hook) { before_change_ = std::move(hook); }

  // Asked before each operation; an error makes it fail. A failing write leaves a part of itself.
  using Injector = std::function<std::optional<ErrorCode>(Operation, const std::string& path)>;
  void inject(Injector injector) { injector_ = std::move(injector); }
  // Told of each operation that is about to succeed.
  void observe(std::function<void(Operation, const std::string& path)> observer) { observer_ = std::move(observer); }
  void set_capacity(std::uint64_t bytes) noexcept { capacity_ = bytes; }

  // Changes a byte on the disk and in the cache: damage.
  void damage(const std::string& path, std::uint64_t position, char mask);

  // --- FileSystem

  [[nodiscard]] Result<std::shared_ptr<File>> open(const std::string& path, OpenMode mode) override;
  [[nodiscard]] Result<bool> exists(const std::string& path) override;
  [[nodiscard]] Result<> rename(const std::string& from, const std::string& to) override;
  [[nodiscard]] Result<> link(const std::string& from, const std::string& to) override;
  [[nodiscard]] Result<> remove(const std::string& path) override;
  [[nodiscard]] Result<std::vector<DirectoryEntry>> list(const std::string& directory) override;
  [[nodiscard]] Result<> make_directories(const std::string& directory) override;
  [[nodiscard]] Result<> sync_directory(const std::string& directory) override;
  [[nodiscard]] Result<> sync_all(const std::string& directory) override;
  [[nodiscard]] Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;
  [[nodiscard]] Result<DiskSpace> space(const std::string& directory) override;

 private:
  struct Node;
  using NodePointer = std::shared_ptr<Node>;
  class SimFile;
  class SimLock;
  struct Change;
  using NameChange = std::vector<std::pair<std::string, NodePointer>>;  // all or nothing; nullptr removes
  struct Survivors;
  struct Hasher;

  [[nodiscard]] Result<> begin(Operation operation, const std::string& path);
  [[nodiscard]] NodePointer find(std::string_view path) const;
  [[nodiscard]] Result<NodePointer> find_directory(const std::string& path) const;
  static void change_names(Node& directory, NameChange change);
  [[nodiscard]] Result<> grow(Node& node, std::uint64_t end);
  void sync_tree(Node& node);

  std::mt19937_64 random_;
  NodePointer root_;
  std::uint64_t operation_count_ = 0;
  std::uint64_t cut_at_ = UINT64_MAX;
  bool power_is_cut_ = false;
  std::uint64_t capacity_ = UINT64_MAX;
  std::uint64_t used_ = 0;
  Injector injector_;
  std::function<void(Operation, const std::string&)> observer_;
  std::function<void()> before_change_;
  std::set<std::string> locks_;
};

}  // namespace tripos::io
