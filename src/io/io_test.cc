// What a FileSystem promises, of both: the real one and the simulated one.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <condition_variable>
#include <cstdlib>
#include <mutex>

#include "io/file_system.h"
#include "io/real/background_threads.h"
#include "io/real/posix_file_system.h"
#include "io/real/real_clock.h"
#include "io/sim/sim_file_system.h"
#include "io/sim/sim_loop.h"

namespace tripos::io {
namespace {

enum class Kind { real, sim };

class FileSystemTest : public testing::TestWithParam<Kind> {
 protected:
  FileSystemTest() {
    if (GetParam() == Kind::sim) {
      files_ = std::make_unique<SimFileSystem>();
      root_ = "data";
      EXPECT_TRUE(files_->make_directories(root_));
    } else {
      files_ = std::make_unique<PosixFileSystem>();
      std::string name = testing::TempDir() + "tripos-io-XXXXXX";
      EXPECT_NE(::mkdtemp(name.data()), nullptr);
      root_ = name;
    }
  }
  ~FileSystemTest() override { EXPECT_TRUE(remove_tree(*files_, root_)); }

  std::string path(const std::string& name) const { return root_ + "/" + name; }
  void write(const std::string& name, Bytes contents) {
    const auto file = files_->open(path(name), OpenMode::create);
    ASSERT_TRUE(file) << file.error().message;
    ASSERT_TRUE((*file)->write_at(0, std::array{contents}));
  }
  std::string read(const std::string& name) {
    const auto contents = read_file(*files_, path(name), 1u << 20);
    return contents ? *contents : contents.error().message;
  }

  std::unique_ptr<FileSystem> files_;
  std::string root_;
};

INSTANTIATE_TEST_SUITE_P(Both, FileSystemTest, testing::Values(Kind::real, Kind::sim),
                         [](const auto& kind) { return kind.param == Kind::real ? "real" : "sim"; });

TEST_P(FileSystemTest, WritesPartsBehindEachOtherAndReadsThem) {
  std::vector<Bytes> parts(200, "ab");
  parts.insert(parts.begin() + 70, "");
  const auto file = *files_->open(path("f"), OpenMode::create_new);
  ASSERT_TRUE(file->write_at(3, parts));
  EXPECT_EQ(*file->size(), 403u);
  std::array<char, 500> bytes;
  EXPECT_EQ(*file->read_at(0, bytes), 403u);
  EXPECT_EQ(std::string(bytes.data(), 7), std::string("\0\0\0abab", 7));
  EXPECT_EQ(*file->read_at(500, bytes), 0u);
  EXPECT_FALSE(read_exactly(*file, 400, bytes));
  ASSERT_TRUE(file->truncate(4));
  EXPECT_TRUE(file->sync_data());
  EXPECT_EQ(read("f"), std::string("\0\0\0a", 4));
}

TEST_P(FileSystemTest, ReservingLeavesTheSize) {
  write("f", "abc");
  const auto file = *files_->open(path("f"), OpenMode::write);
  ASSERT_TRUE(file->reserve(3, 1u << 20));
  EXPECT_EQ(*file->size(), 3u);
  EXPECT_EQ(read("f"), "abc");
}

TEST_P(FileSystemTest, ModesSayWhatMayExist) {
  EXPECT_EQ(files_->open(path("f"), OpenMode::read).error().code, ErrorCode::not_found);
  EXPECT_EQ(files_->open(path("f"), OpenMode::write).error().code, ErrorCode::not_found);
  write("f", "abc");
  EXPECT_EQ(files_->open(path("f"), OpenMode::create_new).error().code, ErrorCode::already_exists);
  EXPECT_EQ(*(*files_->open(path("f"), OpenMode::create))->size(), 3u);
  EXPECT_EQ(*(*files_->open(path("f"), OpenMode::replace))->size(), 0u);
}

TEST_P(FileSystemTest, RenameReplacesAndLinkDoesNot) {
  write("a", "1");
  write("b", "2");
  EXPECT_EQ(files_->link(path("a"), path("b")).error().code, ErrorCode::already_exists);
  EXPECT_EQ(read("b"), "2");
  ASSERT_TRUE(files_->link(path("a"), path("c")));
  EXPECT_EQ(read("c"), "1");
  ASSERT_TRUE(files_->rename(path("a"), path("b")));
  EXPECT_EQ(read("b"), "1");
  EXPECT_FALSE(*files_->exists(path("a")));
  EXPECT_EQ(files_->remove(path("a")).error().code, ErrorCode::not_found);
}

TEST_P(FileSystemTest, AnOpenFileOutlivesItsName) {
  write("f", "abc");
  const auto file = *files_->open(path("f"), OpenMode::read);
  ASSERT_TRUE(files_->remove(path("f")));
  std::array<char, 3> bytes;
  EXPECT_EQ(*file->read_at(0, bytes), 3u);
}

TEST_P(FileSystemTest, DirectoriesAreListedByName) {
  ASSERT_TRUE(files_->make_directories(path("x/y")));
  ASSERT_TRUE(files_->make_directories(path("x/y")));
  write("x/b", "");
  write("x/a", "");
  EXPECT_EQ(*files_->list(path("x")), (std::vector<DirectoryEntry>{{"a", false}, {"b", false}, {"y", true}}));
  EXPECT_FALSE(files_->remove(path("x")));
  EXPECT_FALSE(files_->make_directories(path("x/a")));
  EXPECT_EQ(files_->list(path("z")).error().code, ErrorCode::not_found);
  EXPECT_TRUE(files_->sync_directory(path("x")));
  EXPECT_TRUE(files_->sync_all(root_));
  EXPECT_TRUE(remove_tree(*files_, path("x")));
  EXPECT_FALSE(*files_->exists(path("x")));
}

TEST_P(FileSystemTest, OnlyOneHoldsALock) {
  auto held = files_->lock(path("LOCK"));
  ASSERT_TRUE(held);
  EXPECT_EQ(files_->lock(path("LOCK")).error().code, ErrorCode::conflict);
  held->reset();
  EXPECT_TRUE(files_->lock(path("LOCK")));
}

TEST_P(FileSystemTest, ReplaceFileLeavesNoTemporary) {
  ASSERT_TRUE(replace_file(*files_, path("f"), "one"));
  ASSERT_TRUE(replace_file(*files_, path("f"), "two"));
  EXPECT_EQ(read("f"), "two");
  EXPECT_EQ(files_->list(root_)->size(), 1u);
  EXPECT_EQ(read_file(*files_, path("f"), 2).error().code, ErrorCode::too_large);
}

// --- What a power cut leaves

class PowerCutTest : public testing::Test {
 protected:
  std::string after(Survival survival, const std::string& name, std::uint64_t seed = 1) {
    const auto disk = files_.after_power_cut(survival, seed);
    const auto contents = read_file(*disk, name, 1000);
    return contents ? *contents : "(none)";
  }
  SimFileSystem files_;
};

TEST_F(PowerCutTest, WhatIsNotSyncedMayBeLost) {
  auto file = *files_.open("f", OpenMode::create);
  ASSERT_TRUE(file->write_at(0, std::array{Bytes("abc")}));
  ASSERT_TRUE(file->sync_data());
  EXPECT_EQ(after(Survival::nothing, "f"), "(none)") << "the name was not synced";
  EXPECT_EQ(after(Survival::everything, "f"), "abc");
  ASSERT_TRUE(files_.sync_directory("."));
  ASSERT_TRUE(file->write_at(3, std::array{Bytes("def")}));
  EXPECT_EQ(after(Survival::nothing, "f"), "abc");
  EXPECT_EQ(after(Survival::everything, "f"), "abcdef");
}

TEST_F(PowerCutTest, WritesAreTornAndReordered) {
  auto file = *files_.open("f", OpenMode::create);
  ASSERT_TRUE(files_.sync_directory("."));
  ASSERT_TRUE(file->write_at(0, std::array{Bytes("aaaa")}));
  ASSERT_TRUE(file->write_at(4, std::array{Bytes("bbbb")}));
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 300; ++seed) seen.insert(after(Survival::selection, "f", seed));
  EXPECT_TRUE(seen.contains(std::string("\0\0\0\0bbbb", 8))) << "the later write alone";
  EXPECT_TRUE(seen.contains("aaaab") || seen.contains("aaaabb") || seen.contains("aaaabbb")) << "a torn one";
  EXPECT_TRUE(seen.contains("aaaabbbb") && seen.contains("") && seen.contains("aaaa"));
}

TEST_F(PowerCutTest, ARenameHappensOrNot) {
  ASSERT_TRUE(replace_file(files_, "f", "old"));
  auto file = *files_.open("t", OpenMode::create);
  ASSERT_TRUE(file->write_at(0, std::array{Bytes("new")}));
  ASSERT_TRUE(file->sync_data());
  ASSERT_TRUE(files_.rename("t", "f"));
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const std::string contents = after(Survival::selection, "f", seed);
    EXPECT_TRUE(contents == "old" || contents == "new") << contents;
  }
}

TEST_F(PowerCutTest, NothingHappensAfterTheCut) {
  auto file = *files_.open("f", OpenMode::create);
  files_.cut_power_at(files_.operation_count());
  EXPECT_FALSE(file->write_at(0, std::array{Bytes("abc")}));
  EXPECT_TRUE(files_.power_is_cut());
  EXPECT_FALSE(file->sync_data());
  EXPECT_FALSE(files_.rename("f", "g"));
  EXPECT_EQ(after(Survival::nothing, "f"), "(none)");
}

TEST_F(PowerCutTest, AFailedSyncLosesWhatTheCacheShows) {
  auto file = *files_.open("f", OpenMode::create);
  ASSERT_TRUE(files_.sync_directory("."));
  ASSERT_TRUE(file->write_at(0, std::array{Bytes("abc")}));
  files_.inject([](Operation operation, const std::string&) {
    return operation == Operation::sync_data ? std::optional(ErrorCode::io) : std::nullopt;
  });
  EXPECT_FALSE(file->sync_data());
  files_.inject(nullptr);
  EXPECT_TRUE(file->sync_data()) << "as Linux: the second sync succeeds";
  EXPECT_EQ(*read_file(files_, "f", 10), "abc");
  EXPECT_EQ(after(Survival::everything, "f"), "");
}

TEST_F(PowerCutTest, AFullDiskIsToldByReserve) {
  files_.set_capacity(100);
  auto file = *files_.open("f", OpenMode::create);
  EXPECT_TRUE(file->reserve(0, 80));
  EXPECT_EQ(file->reserve(80, 120).error().code, ErrorCode::no_space);
  EXPECT_TRUE(file->write_at(0, std::array{Bytes(std::string(80, 'x'))}));
  EXPECT_EQ(file->write_at(80, std::array{Bytes(std::string(40, 'x'))}).error().code, ErrorCode::no_space);
  EXPECT_TRUE(file->truncate(10));
  EXPECT_TRUE(file->reserve(10, 100));
}

// --- Threads and time

class QueueExecutor final : public Executor {
 public:
  void post(Task task) override {
    {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    wake_.notify_one();
  }
  TimerId post_after(MonotonicClock::duration, Task) override { return no_timer; }
  bool cancel(TimerId) override { return false; }
  void run_one() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return !tasks_.empty(); });
    const Task task = std::move(tasks_.front());
    tasks_.erase(tasks_.begin());
    lock.unlock();
    task();
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Task> tasks_;
};

TEST(BackgroundThreadsTest, WorksElsewhereAndCompletesOnTheLoop) {
  QueueExecutor loop;
  BackgroundThreads threads(loop, 2, "tripos-test");
  const auto here = std::this_thread::get_id();
  int done = 0;
  for (int i = 0; i < 20; ++i) {
    threads.run([here] { EXPECT_NE(std::this_thread::get_id(), here); },
                [&, here] {
                  EXPECT_EQ(std::this_thread::get_id(), here);
                  ++done;
                });
  }
  for (int i = 0; i < 20; ++i) loop.run_one();
  EXPECT_EQ(done, 20);
}

TEST(SimLoopTest, TimersRunInOrderOfTime) {
  SimLoop loop;
  std::string order;
  const TimerId late = loop.post_after(std::chrono::milliseconds(20), [&] { order += "late "; });
  static_cast<void>(loop.post_after(std::chrono::milliseconds(10), [&] {
    order += "early ";
    loop.post([&] { order += "posted "; });
  }));
  loop.advance(std::chrono::milliseconds(5));
  EXPECT_EQ(order, "");
  loop.advance(std::chrono::milliseconds(10));
  EXPECT_EQ(order, "early posted ");
  EXPECT_TRUE(loop.cancel(late));
  EXPECT_FALSE(loop.cancel(late));
  loop.run_all();
  EXPECT_EQ(order, "early posted ");
  EXPECT_EQ(loop.monotonic().time_since_epoch(), std::chrono::milliseconds(15));
}

TEST(RealClockTest, Runs) {
  const RealClock clock;
  EXPECT_GT(clock.wall().time_since_epoch().count(), 1'500'000'000'000);
  const MonotonicTime before = clock.monotonic();
  EXPECT_LE(before, clock.monotonic());
}

}  // namespace
}  // namespace tripos::io
