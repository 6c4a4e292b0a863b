#include "log/group_commit.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace tripos::log {

struct GroupCommit::Round {
  std::vector<Syncable*> logs;  // nullptr: forgotten meanwhile
  std::vector<std::shared_ptr<io::File>> files;
  std::vector<std::string> directories;
  std::vector<UnsyncedTail> tails;
  bool journalled = false;
  std::optional<CommitJournal::Place> place;  // in the journal; taken back where there was no space
  std::size_t lanes_left = 0;
  struct Lane {
    Result<> result;
    bool directory_missing = false;
  };
  std::vector<Lane> lanes;  // each written by its own background work only
  MonotonicTime begin{};
  MonotonicClock::duration writing{};  // to the journal; where there is a clock
};

GroupCommit::GroupCommit(io::Executor& loop, io::Background& background, io::FileSystem& files, std::string data, CommitHooks hooks,
                         CommitOptions options)
    : loop_(loop),
      background_(background),
      files_(files),
      data_(std::move(data)),
      hooks_(std::move(hooks)),
      options_(options),
      quick_(options.journal.quick),
      self_(std::make_shared<GroupCommit*>(this)) {
  CHECK(hooks_.fatal && options_.lanes > 0);
  if (options_.journal.half_bytes > 0) journal_.emplace(files_, data_, options_.journal, options_.sync_all_from);
}

GroupCommit::~GroupCommit() {
  *self_ = nullptr;
  loop_.cancel(timer_);
}

void GroupCommit::mark(Syncable& log, Urgency urgency) {
  if (!log.marked_) {
    dirty_.push_back(&log);
  } else if (*log.marked_ <= urgency) {
    return;
  }
  log.marked_ = urgency;
  if (urgency == Urgency::now) {
    schedule();
  } else if (timer_ == io::no_timer) {
    timer_ = loop_.post_after(options_.soon_delay, [this] {
      timer_ = io::no_timer;
      schedule();
    });
  }
}

void GroupCommit::forget(Syncable& log) {
  std::erase(dirty_, &log);
  if (round_ != nullptr) std::replace(round_->logs.begin(), round_->logs.end(), &log, static_cast<Syncable*>(nullptr));
}

// A round starts after what the loop has at hand, so that appends that arrived together share it.
void GroupCommit::schedule() {
  if (posted_ || round_ != nullptr) return;
  posted_ = true;
  loop_.post([self = self_] {
    if (*self == nullptr) return;
    (*self)->posted_ = false;
    (*self)->start_round();
  });
}

std::shared_ptr<GroupCommit::Round> GroupCommit::begin_round() {
  auto round = std::make_shared<Round>();
  round->logs.swap(dirty_);
  for (Syncable* const log : round->logs) {
    log->marked_.reset();
    SyncWork work = log->begin_sync();
    std::move(work.files.begin(), work.files.end(), std::back_inserter(round->files));
    std::move(work.directories.begin(), work.directories.end(), std::back_inserter(round->directories));
    if (work.tail) round->tails.push_back(std::move(*work.tail));
  }
  std::sort(round->directories.begin(), round->directories.end());
  round->directories.erase(std::unique(round->directories.begin(), round->directories.end()), round->directories.end());
  round_ = round;
  ++counters_.rounds;
  return round;
}

void GroupCommit::write_to_journal(Round& round, io::FileSystem& files, const std::string& data, const io::Clock* clock) {
  Result<>& result = round.lanes[0].result;
  const MonotonicTime begin = clock != nullptr ? clock->monotonic() : MonotonicTime{};
  result = CommitJournal::write(*round.place, round.tails, data);
  if (clock != nullptr) round.writing = clock->monotonic() - begin;
  // Where the file system copies what is overwritten, a full disk shows here; the logs' own files are there as ever.
  if (result || result.error().code != ErrorCode::no_space) return;
  round.place.reset();
  result = {};
  sync_lane(round, 0, 1, false, files, data);
}

void GroupCommit::sync_lane(Round& round, std::size_t lane, std::size_t lanes, bool all, io::FileSystem& files, const std::string& data) {
  Result<>& result = round.lanes[lane].result;
  if (all) {
    result = files.sync_all(data);
    return;
  }
  for (std::size_t i = lane; result && i < round.files.size() + round.directories.size(); i += lanes) {
    if (i < round.files.size()) {
      result = round.files[i]->sync_data();
      continue;
    }
    result = files.sync_directory(round.directories[i - round.files.size()]);
    if (!result && result.error().code == ErrorCode::not_found) {
      round.lanes[lane].directory_missing = true;
      result = {};
    }
  }
}

void GroupCommit::sync_now() {
  CHECK(round_ == nullptr && !blocking_);
  blocking_ = true;
  while (!failed_ && !dirty_.empty()) {
    const auto round = begin_round();
    round->lanes.resize(1);
    sync_lane(*round, 0, 1, true, files_, data_);
    ++counters_.sync_alls;
    finish_round(*round);
  }
  blocking_ = false;
}

void GroupCommit::start_round() {
  if (failed_ || round_ != nullptr || dirty_.empty()) return;
  const auto round = begin_round();
  if (options_.clock != nullptr) round->begin = options_.clock->monotonic();
  if (journal_) {
    if (round->tails.size() == round->logs.size()) round->place = journal_->place(round->tails);
    if (auto chore = journal_->next_chore()) run_chore(std::move(chore->work), std::move(chore->done));
  }
  if (round->place) {
    start_journal_round(round);
    return;
  }
  const std::size_t count = round->files.size() + round->directories.size();
  const bool all = count >= options_.sync_all_from;
  const std::size_t lanes = all ? 1 : std::clamp<std::size_t>(count, 1, options_.lanes);
  if (all) {
    ++counters_.sync_alls;
  } else {
    counters_.file_syncs += round->files.size();
    counters_.directory_syncs += round->directories.size();
  }
  round->lanes_left = lanes;
  round->lanes.resize(lanes);
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    auto work = [round, lane, lanes, all, &files = files_, data = all ? data_ : std::string()] {
      sync_lane(*round, lane, lanes, all, files, data);
    };
    background_.run(std::move(work), [self = self_, round] {
      if (--round->lanes_left == 0 && *self != nullptr) (*self)->finish_round(*round);
    });
  }
}

void GroupCommit::start_journal_round(const std::shared_ptr<Round>& round) {
  round->journalled = true;
  round->lanes_left = 1;
  round->lanes.resize(1);
  if (options_.clock != nullptr && quick_.on_loop()) {
    ++counters_.loop_rounds;
    write_to_journal(*round, files_, data_, options_.clock);
    finish_round(*round);
    return;
  }
  auto work = [round, &files = files_, data = data_, clock = options_.clock] { write_to_journal(*round, files, data, clock); };
  background_.run(std::move(work), [self = self_, round] {
    if (*self != nullptr) (*self)->finish_round(*round);
  });
}

void GroupCommit::finish_round(Round& round) {
  const auto keep = std::exchange(round_, nullptr);
  if (failed_) return;
  if (options_.clock != nullptr && !blocking_) {
    const MonotonicTime now = options_.clock->monotonic();
    durations_.record(now - round.begin, now);
  }
  // A topic that is deleted takes its directory with it; nothing is owed for a log that was forgotten.
  const auto forgotten = std::count(round.logs.begin(), round.logs.end(), nullptr);
  for (Round::Lane& lane : round.lanes) {
    if (lane.result && lane.directory_missing && forgotten == 0) {
      lane.result = fail(ErrorCode::io, "a directory under {} that holds a log has vanished", data_);
    }
    if (lane.result) continue;
    for (Syncable* const log : round.logs) {
      if (log != nullptr) log->sync_failed();
    }
    fail_with(lane.result.error());
    return;
  }
  if (round.journalled && round.place) {
    journal_->written(*round.place, round.tails);
    quick_.took(round.writing);
    ++counters_.journal_rounds;
  } else if (round.journalled) {
    journal_->give_up();
  }
  for (std::size_t i = 0; i < round.logs.size(); ++i) {
    round_ = keep;  // forget() within a callback must find it
    if (round.logs[i] != nullptr) round.logs[i]->finish_sync();
  }
  round_ = nullptr;
  if (blocking_) return;
  const bool urgent = std::any_of(dirty_.begin(), dirty_.end(), [](const Syncable* log) { return log->marked_ == Urgency::now; });
  // Not at once: a round that the loop waits for must not keep it from what has come meanwhile.
  if (urgent || !idle_waiters_.empty()) schedule();
  check_idle();
}

void GroupCommit::fail_with(const Error& error) {
  if (std::exchange(failed_, true)) return;
  hooks_.fatal(error);
}

void GroupCommit::run_chore(std::function<Result<>()> work, std::function<void(const Result<>&)> done) {
  const auto result = std::make_shared<Result<>>();
  ++chores_;
  background_.run([result, work = std::move(work)] { *result = work(); },
                  [self = self_, result, done = std::move(done)] {
                    GroupCommit* const commit = *self;
                    if (commit == nullptr) return;
                    --commit->chores_;
                    if (!*result) {
                      const ErrorCode code = result->error().code;
                      if (code != ErrorCode::no_space && code != ErrorCode::not_found) {
                        commit->fail_with(result->error());
                        return;
                      }
                      if (commit->hooks_.warning) commit->hooks_.warning(result->error());
                    }
                    if (commit->failed_) return;
                    done(*result);
                    if (*self != nullptr) commit->check_idle();
                  });
}

void GroupCommit::retire_journal() {
  CHECK(round_ == nullptr);
  if (!journal_) return;
  auto chore = journal_->retire();
  run_chore(std::move(chore.work), std::move(chore.done));
}

void GroupCommit::when_idle(io::Task done) {
  idle_waiters_.push_back(std::move(done));
  if (!dirty_.empty()) schedule();
  loop_.post([self = self_] {
    if (*self != nullptr) (*self)->check_idle();
  });
}

void GroupCommit::check_idle() {
  if (failed_ || !dirty_.empty() || round_ != nullptr || chores_ > 0) return;
  for (const io::Task& done : std::exchange(idle_waiters_, {})) done();
}

}  // namespace tripos::log
