// GroupCommit: makes the appends of many partitions durable by one round of syncs (rules, 1.2).
//
// A crash walk. An append writes to the page cache and marks its log dirty; the first mark posts a round. A round takes what is dirty,
// syncs it in the background (fdatasync of each file while they are few, one syncfs when they are many; the directories of new
// segments too), and comes back to the loop, where each log moves its durable end and runs what waited for it. What was appended
// meanwhile is the next round's. So one sync lies between append and acknowledgement, and all that came in the meantime share it.
// A round of few bytes is written to the commit journal, and only that is synced (commit_journal.h): on the loop itself, while the disk
// is quick enough (quick_rounds.h).
// A crash before the sync ends loses unacknowledged bytes only; a failed sync ends the process (hooks.fatal), since the kernel
// may have dropped the pages it could not write: nothing is acknowledged from then on.
//
// Threads: the loop's only. What runs in the background are closures over files and values; what they touch of the clock is any thread's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/duration_histogram.h"
#include "base/error.h"
#include "io/clock.h"
#include "io/executor.h"
#include "io/file_system.h"
#include "log/commit_journal.h"
#include "log/quick_rounds.h"

namespace tripos::log {

enum class Urgency {
  now,   // somebody waits
  soon,  // acks=0: within 10 ms
};

// What a log wants synced: taken on the loop, synced in the background.
struct SyncWork {
  std::vector<std::shared_ptr<io::File>> files;
  std::vector<std::string> directories;
  std::optional<UnsyncedTail> tail;  // if one file is all, and it has only grown
};

// A log, as GroupCommit sees it.
class Syncable {
 public:
  virtual ~Syncable() = default;
  // Everything written so far that is not durable.
  [[nodiscard]] virtual SyncWork begin_sync() = 0;
  // What the last begin_sync() gave is durable.
  virtual void finish_sync() = 0;
  // It may or may not be, and never will be known: the process ends after this.
  virtual void sync_failed() = 0;

 private:
  friend class GroupCommit;
  std::optional<Urgency> marked_;
};

struct CommitHooks {
  std::function<void(const Error&)>
      fatal;  // a sync failed: ends the process. If it returns (simulation), nothing is acknowledged any more.
  std::function<void(const Error&)> warning;  // a checkpoint could not be written: recovery will take longer
};

struct CommitOptions {
  // From this many files and directories on, one syncfs takes the place of a sync of each (docs/adr/0035; ./run bench sync).
  std::size_t sync_all_from = 8;
  // A round of few files is spread over so many background works.
  std::size_t lanes = 4;
  MonotonicClock::duration soon_delay = std::chrono::milliseconds(5);
  JournalOptions journal;
  const io::Clock* clock = nullptr;  // to measure rounds with; none: they are not measured, and the loop waits for none
};

struct CommitCounters {
  std::uint64_t rounds = 0;
  std::uint64_t file_syncs = 0;
  std::uint64_t directory_syncs = 0;
  std::uint64_t sync_alls = 0;
  std::uint64_t journal_rounds = 0;
  std::uint64_t loop_rounds = 0;  // of these, those that the loop waited for
};

class GroupCommit {
 public:
  // `data`: the directory that a syncfs names; all logs lie in it. All arguments outlive this.
  GroupCommit(io::Executor& loop, io::Background& background, io::FileSystem& files, std::string data, CommitHooks hooks,
              CommitOptions options = {});
  ~GroupCommit();
  GroupCommit(const GroupCommit&) = delete;
  GroupCommit& operator=(const GroupCommit&) = delete;

  // The log has something to sync. Cheap if it was marked already.
  void mark(Syncable& log, Urgency urgency);
  // The log goes away; a round under way no longer touches it.
  void forget(Syncable& log);

  // Makes all that is dirty durable during the call, and what is appended in consequence; blocks. For the start, before the loop runs.
  void sync_now();

  // Blocking work that belongs to no round (checkpoints, unlinking); `done` runs on the loop. An error other than no_space and
  // not_found is fatal, as for syncs.
  void run_chore(std::function<Result<>()> work, std::function<void(const Result<>&)> done);

  // Ends the journal, if there is one: what it holds is synced where it belongs, and its file removed. Nothing is dirty, no round is under
  // way.
  void retire_journal();

  // `done` runs as soon as nothing is dirty, no round and no chore under way.
  void when_idle(io::Task done);

  [[nodiscard]] const std::string& data() const noexcept { return data_; }
  [[nodiscard]] const CommitCounters& counters() const noexcept { return counters_; }
  // How long rounds took, from the first sync to the last one's end.
  [[nodiscard]] RecentDurations& durations() noexcept { return durations_; }
  [[nodiscard]] bool failed() const noexcept { return failed_; }

 private:
  struct Round;

  void schedule();
  [[nodiscard]] std::shared_ptr<Round> begin_round();
  void start_round();
  // Every `lanes`-th sync of the round from `lane` on; `all`: one for everything. On any thread.
  static void sync_lane(Round& round, std::size_t lane, std::size_t lanes, bool all, io::FileSystem& files, const std::string& data);
  void start_journal_round(const std::shared_ptr<Round>& round);
  // Writes the round to its place in the journal. On any thread.
  static void write_to_journal(Round& round, io::FileSystem& files, const std::string& data, const io::Clock* clock);
  void finish_round(Round& round);
  void fail_with(const Error& error);
  void check_idle();

  io::Executor& loop_;
  io::Background& background_;
  io::FileSystem& files_;
  std::string data_;
  CommitHooks hooks_;
  CommitOptions options_;
  std::optional<CommitJournal> journal_;
  QuickRounds quick_;
  CommitCounters counters_;
  RecentDurations durations_;

  std::vector<Syncable*> dirty_;
  std::shared_ptr<Round> round_;  // under way
  bool posted_ = false;           // a start_round() is on its way
  io::TimerId timer_ = io::no_timer;
  int chores_ = 0;
  bool failed_ = false;
  bool blocking_ = false;  // in sync_now()
  std::vector<io::Task> idle_waiters_;
  std::shared_ptr<GroupCommit*> self_;  // for closures that may outlive this
};

}  // namespace tripos::log
