#include "io/sim/sim_file_system.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"

namespace tripos::io {
namespace {

std::string_view name_of(std::string_view path) {
  const std::size_t slash = path.find_last_of('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

tl::unexpected<Error> missing(std::string_view operation, std::string_view path) {
  return fail(ErrorCode::not_found, "{} {}: no such file or directory", operation, path);
}

}  // namespace

std::string_view to_string(Operation operation) noexcept {
  constexpr std::array names = {"read",   "open", "write",  "sync_data",      "truncate",       "reserve",
                                "rename", "link", "remove", "make_directory", "sync_directory", "sync_all"};
  return names.at(static_cast<std::size_t>(operation));
}

std::string_view to_string(Survival survival) noexcept {
  constexpr std::array names = {"everything", "nothing", "beginning", "selection", "killed"};
  return names.at(static_cast<std::size_t>(survival));
}

// A change to a file's bytes: a write, or a new size.
struct SimFileSystem::Change {
  std::uint64_t position = 0;
  Buffer bytes;
  std::optional<std::uint64_t> size;

  void apply(Buffer& to) const {
    if (size) {
      to.resize(*size, '\0');
      return;
    }
    if (to.size() < position + bytes.size()) to.resize(position + bytes.size(), '\0');
    std::copy(bytes.begin(), bytes.end(), to.begin() + static_cast<std::ptrdiff_t>(position));
  }
};

struct SimFileSystem::Node {
  bool directory = false;
  // A file:
  Buffer seen;
  Buffer stored;
  std::vector<Change> changes;
  std::uint64_t allocated = 0;
  // A directory:
  std::map<std::string, NodePointer, std::less<>> names;
  std::map<std::string, NodePointer, std::less<>> stored_names;
  std::vector<NameChange> name_changes;

  void change(Change what) {
    what.apply(seen);
    changes.push_back(std::move(what));
  }
  void sync() {
    for (const Change& what : changes) what.apply(stored);
    changes.clear();
  }
  void sync_names() {
    stored_names = names;
    name_changes.clear();
  }
};

class SimFileSystem::SimFile final : public File {
 public:
  SimFile(SimFileSystem& files, NodePointer node, std::string path) : files_(files), node_(std::move(node)), path_(std::move(path)) {}

  Result<std::size_t> read_at(std::uint64_t position, std::span<char> to) const override {
    TRIPOS_TRY(files_.begin(Operation::read, path_));
    if (position >= node_->seen.size()) return std::size_t{0};
    return node_->seen.copy(to.data(), to.size(), position);
  }

  Result<> write_at(std::uint64_t position, std::span<const Bytes> parts) override {
    Buffer bytes;
    for (const Bytes part : parts) bytes.append(part);
    const bool power_was_cut = files_.power_is_cut_;
    auto result = files_.begin(Operation::write, path_);
    if (power_was_cut) return result;
    if (files_.power_is_cut_) {
      // The cut comes while the write is on its way: some of it may be there.
      node_->change({position, std::move(bytes), std::nullopt});
      return result;
    }
    if (result) result = files_.grow(*node_, position + bytes.size());
    if (!result) bytes.resize(files_.random_() % (bytes.size() + 1));  // a part of it got there
    if (!bytes.empty()) node_->change({position, std::move(bytes), std::nullopt});
    return result;
  }

  Result<> sync_data() override {
    auto result = files_.begin(Operation::sync_data, path_);
    if (result) {
      node_->sync();
    } else if (!files_.power_is_cut_) {
      node_->changes.clear();
    }
    return result;
  }

  Result<> truncate(std::uint64_t size) override {
    TRIPOS_TRY(files_.begin(Operation::truncate, path_));
    if (node_->allocated > size) {
      files_.used_ -= node_->allocated - size;
      node_->allocated = size;
    }
    if (size != node_->seen.size()) node_->change({0, {}, size});
    return {};
  }

  Result<> reserve(std::uint64_t, std::uint64_t end) override {
    TRIPOS_TRY(files_.begin(Operation::reserve, path_));
    return files_.grow(*node_, end);
  }

  Result<std::uint64_t> size() const override { return node_->seen.size(); }
  int descriptor() const noexcept override { return -1; }
  const std::string& path() const noexcept override { return path_; }

 private:
  SimFileSystem& files_;
  NodePointer node_;
  std::string path_;
};

class SimFileSystem::SimLock final : public FileLock {
 public:
  SimLock(std::set<std::string>& locks, std::string path) : locks_(locks), path_(std::move(path)) {}
  ~SimLock() override { locks_.erase(path_); }

 private:
  std::set<std::string>& locks_;
  std::string path_;
};

SimFileSystem::SimFileSystem(std::uint64_t seed) : random_(seed), root_(std::make_shared<Node>()) { root_->directory = true; }
SimFileSystem::~SimFileSystem() = default;

Result<> SimFileSystem::begin(Operation operation, const std::string& path) {
  if (before_change_ && !power_is_cut_ && operation != Operation::read) before_change_();
  if (!power_is_cut_ && operation != Operation::read && operation_count_++ == cut_at_) power_is_cut_ = true;
  if (power_is_cut_) return fail(ErrorCode::io, "{} {}: the power is cut", to_string(operation), path);
  if (injector_) {
    if (const auto code = injector_(operation, path)) return fail(*code, "{} {}: injected fault", to_string(operation), path);
  }
  if (observer_) observer_(operation, path);
  return {};
}

SimFileSystem::NodePointer SimFileSystem::find(std::string_view path) const {
  NodePointer node = root_;
  while (!path.empty() && node != nullptr) {
    const std::size_t slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    if (name.empty() || name == ".") continue;
    const auto entry = node->names.find(name);
    node = entry == node->names.end() ? nullptr : entry->second;
  }
  return node;
}

Result<SimFileSystem::NodePointer> SimFileSystem::find_directory(const std::string& path) const {
  NodePointer node = find(path);
  if (node == nullptr || !node->directory) return missing("look up directory", path);
  return node;
}

void SimFileSystem::change_names(Node& directory, NameChange change) {
  for (const auto& [name, node] : change) {
    if (node != nullptr) {
      directory.names[name] = node;
    } else {
      directory.names.erase(name);
    }
  }
  directory.name_changes.push_back(std::move(change));
}

Result<> SimFileSystem::grow(Node& node, std::uint64_t end) {
  if (end <= node.allocated) return {};
  if (used_ + (end - node.allocated) > capacity_) return fail(ErrorCode::no_space, "the simulated disk of {} bytes is full", capacity_);
  used_ += end - node.allocated;
  node.allocated = end;
  return {};
}

Result<std::shared_ptr<File>> SimFileSystem::open(const std::string& path, OpenMode mode) {
  NodePointer node = find(path);
  if (node != nullptr && node->directory) return fail(ErrorCode::io, "open {}: is a directory", path);
  const bool existing_only = mode == OpenMode::read || mode == OpenMode::write;
  if (node == nullptr && existing_only) return missing("open", path);
  if (node != nullptr && mode == OpenMode::create_new) return fail(ErrorCode::already_exists, "open {}: exists", path);
  if (node == nullptr) {
    TRIPOS_ASSIGN(const NodePointer directory, find_directory(parent_of(path)));
    TRIPOS_TRY(begin(Operation::open, path));
    node = std::make_shared<Node>();
    change_names(*directory, {{std::string(name_of(path)), node}});
  } else if (mode == OpenMode::replace) {
    TRIPOS_TRY(begin(Operation::open, path));
    if (!node->seen.empty()) node->change({0, {}, 0});
    used_ -= std::exchange(node->allocated, 0);
  } else {
    TRIPOS_TRY(begin(Operation::read, path));
  }
  return std::make_shared<SimFile>(*this, std::move(node), path);
}

Result<bool> SimFileSystem::exists(const std::string& path) {
  TRIPOS_TRY(begin(Operation::read, path));
  return find(path) != nullptr;
}

Result<> SimFileSystem::rename(const std::string& from, const std::string& to) {
  const NodePointer node = find(from);
  if (node == nullptr) return missing("rename", from);
  TRIPOS_ASSIGN(const NodePointer from_directory, find_directory(parent_of(from)));
  TRIPOS_ASSIGN(const NodePointer to_directory, find_directory(parent_of(to)));
  TRIPOS_TRY(begin(Operation::rename, to));
  const std::string from_name(name_of(from));
  const std::string to_name(name_of(to));
  if (from_directory == to_directory) {
    change_names(*to_directory, {{to_name, node}, {from_name, nullptr}});
  } else {
    change_names(*to_directory, {{to_name, node}});
    change_names(*from_directory, {{from_name, nullptr}});
  }
  return {};
}

Result<> SimFileSystem::link(const std::string& from, const std::string& to) {
  const NodePointer node = find(from);
  if (node == nullptr) return missing("link", from);
  if (find(to) != nullptr) return fail(ErrorCode::already_exists, "link {}: exists", to);
  TRIPOS_ASSIGN(const NodePointer directory, find_directory(parent_of(to)));
  TRIPOS_TRY(begin(Operation::link, to));
  change_names(*directory, {{std::string(name_of(to)), node}});
  return {};
}

Result<> SimFileSystem::remove(const std::string& path) {
  const NodePointer node = find(path);
  if (node == nullptr) return missing("remove", path);
  if (node->directory && !node->names.empty()) return fail(ErrorCode::io, "remove {}: not empty", path);
  TRIPOS_ASSIGN(const NodePointer directory, find_directory(parent_of(path)));
  TRIPOS_TRY(begin(Operation::remove, path));
  used_ -= std::exchange(node->allocated, 0);
  change_names(*directory, {{std::string(name_of(path)), nullptr}});
  return {};
}

Result<std::vector<DirectoryEntry>> SimFileSystem::list(const std::string& directory) {
  TRIPOS_TRY(begin(Operation::read, directory));
  TRIPOS_ASSIGN(const NodePointer node, find_directory(directory));
  std::vector<DirectoryEntry> entries;
  for (const auto& [name, child] : node->names) entries.push_back({name, child->directory});
  return entries;
}

Result<> SimFileSystem::make_directories(const std::string& directory) {
  NodePointer node = root_;
  for (std::size_t begin_of_name = 0; begin_of_name < directory.size();) {
    std::size_t end = directory.find('/', begin_of_name);
    if (end == std::string::npos) end = directory.size();
    const std::string name = directory.substr(begin_of_name, end - begin_of_name);
    begin_of_name = end + 1;
    if (name.empty() || name == ".") continue;
    auto& child = node->names[name];
    if (child == nullptr) {
      node->names.erase(name);
      TRIPOS_TRY(begin(Operation::make_directory, directory.substr(0, end)));
      const auto made = std::make_shared<Node>();
      made->directory = true;
      change_names(*node, {{name, made}});
      node = made;
    } else {
      if (!child->directory) return fail(ErrorCode::already_exists, "make directory {}: a file has that name", directory);
      node = NodePointer(child);
    }
  }
  return {};
}

Result<> SimFileSystem::sync_directory(const std::string& directory) {
  TRIPOS_ASSIGN(const NodePointer node, find_directory(directory));
  TRIPOS_TRY(begin(Operation::sync_directory, directory));
  node->sync_names();
  return {};
}

void SimFileSystem::sync_tree(Node& node) {
  node.sync();
  node.sync_names();
  for (const auto& [name, child] : node.names) sync_tree(*child);
}

Result<> SimFileSystem::sync_all(const std::string& directory) {
  TRIPOS_TRY(begin(Operation::sync_all, directory));
  sync_tree(*root_);
  return {};
}

Result<std::unique_ptr<FileLock>> SimFileSystem::lock(const std::string& path) {
  TRIPOS_TRY(open(path, OpenMode::create));
  if (!locks_.insert(path).second) return fail(ErrorCode::conflict, "{} is held by another process", path);
  return std::make_unique<SimLock>(locks_, path);
}

Result<DiskSpace> SimFileSystem::space(const std::string&) { return DiskSpace{.total_bytes = capacity_, .free_bytes = capacity_ - used_}; }

void SimFileSystem::damage(const std::string& path, std::uint64_t position, char mask) {
  const NodePointer node = find(path);
  CHECK(node != nullptr && !node->directory && position < node->seen.size());
  node->seen[position] = static_cast<char>(node->seen[position] ^ mask);
  node->stored = node->seen;
  node->changes.clear();
}

// --- The power cut

// Makes the nodes of the disk that is left.
struct SimFileSystem::Survivors {
  Survival survival;
  std::mt19937_64 random;
  std::map<const Node*, NodePointer> made;
  std::uint64_t used = 0;

  // How many of `count` changes come into question, from the first.
  std::size_t prefix(std::size_t count) {
    switch (survival) {
      case Survival::everything:
      case Survival::selection:
      case Survival::killed: return count;
      case Survival::nothing: return 0;
      case Survival::beginning: return random() % (count + 1);
    }
    return 0;
  }
  bool kept() { return survival != Survival::selection || random() % 2 == 0; }

  NodePointer node(const NodePointer& old) {
    auto& copy = made[old.get()];
    if (copy != nullptr) return copy;
    copy = std::make_shared<Node>();
    NodePointer result = copy;
    result->directory = old->directory;
    if (survival == Survival::killed) {
      unchanged(*old, *result);
    } else if (old->directory) {
      directory(*old, *result);
    } else {
      file(*old, *result);
    }
    return result;
  }

  void unchanged(const Node& old, Node& to) {
    to.seen = old.seen;
    to.stored = old.stored;
    to.changes = old.changes;
    to.allocated = old.allocated;
    used += to.allocated;
    for (const auto& [name, child] : old.names) to.names[name] = node(child);
    for (const auto& [name, child] : old.stored_names) to.stored_names[name] = node(child);
    for (const NameChange& change : old.name_changes) {
      NameChange& copy = to.name_changes.emplace_back();
      for (const auto& [name, child] : change) copy.emplace_back(name, child == nullptr ? nullptr : node(child));
    }
  }

  void file(const Node& old, Node& to) {
    to.stored = old.stored;
    const std::size_t count = prefix(old.changes.size());
    for (std::size_t i = 0; i < count; ++i) {
      if (!kept()) continue;
      Change change = old.changes[i];
      const bool torn = survival == Survival::selection ? random() % 4 == 0 : survival == Survival::beginning && i + 1 == count;
      if (torn && !change.bytes.empty()) {
        const std::size_t size = random() % (change.bytes.size() + 1);
        if (survival == Survival::selection && random() % 2 == 0) {  // its end is there, its beginning is not
          change.position += size;
          change.bytes.erase(0, size);
        } else {
          change.bytes.resize(size);
        }
      }
      change.apply(to.stored);
    }
    to.seen = to.stored;
    to.allocated = to.seen.size();
    used += to.allocated;
  }

  void directory(const Node& old, Node& to) {
    auto names = old.stored_names;
    const std::size_t count = prefix(old.name_changes.size());
    for (std::size_t i = 0; i < count; ++i) {
      if (!kept()) continue;
      for (const auto& [name, child] : old.name_changes[i]) {
        if (child != nullptr) {
          names[name] = child;
        } else {
          names.erase(name);
        }
      }
    }
    for (const auto& [name, child] : names) to.stored_names[name] = node(child);
    to.names = to.stored_names;
  }
};

std::unique_ptr<SimFileSystem> SimFileSystem::after_power_cut(Survival survival, std::uint64_t seed) const {
  auto files = std::make_unique<SimFileSystem>(seed);
  Survivors survivors{survival, std::mt19937_64(seed), {}, 0};
  files->root_ = survivors.node(root_);
  files->used_ = survivors.used;
  files->capacity_ = capacity_;
  return files;
}

// --- Comparing disks

struct SimFileSystem::Hasher {
  std::map<const Node*, std::uint64_t> done;
  std::uint64_t value = 0;

  void add(std::uint64_t number) { value = (value ^ number) * 0x9e3779b97f4a7c15U ^ value >> 29U; }
  void add(std::string_view bytes) { add(std::hash<std::string_view>()(bytes)); }
  void add(const std::map<std::string, NodePointer, std::less<>>& names) {
    add(names.size());
    for (const auto& [name, child] : names) {
      add(name);
      add(child);
    }
  }
  void add(const NodePointer& node) {
    if (node == nullptr) return add(std::uint64_t{0});
    const auto [entry, fresh] = done.emplace(node.get(), done.size() + 1);
    add(entry->second);  // a second link to one file differs from a copy of it
    if (!fresh) return;
    add(node->stored);
    for (const Change& change : node->changes) {
      add(change.position);
      add(change.bytes);
      add(change.size.value_or(UINT64_MAX));
    }
    add(node->stored_names);
    add(node->name_changes.size());
    for (const NameChange& change : node->name_changes) {
      for (const auto& [name, child] : change) {
        add(name);
        add(child);
      }
    }
  }
};

std::uint64_t SimFileSystem::content_hash() const {
  Hasher hasher;
  hasher.add(root_);
  return hasher.value;
}

}  // namespace tripos::io
