// CommitJournal: the file that small rounds of the group commit are written to, so that one sync of few bytes makes them durable
// (docs/format/journal.md, docs/adr/0037).
//
//   state      event                          then
//   absent     small round, one of the first  its files are synced
//   absent     small round, enough of them    making; its files are synced
//   making     small round                    its files are synced
//   making     made / no space                ready / absent, and twice as many rounds before the next try
//   ready      small round, room in the half  it is written there
//   ready      no room, the other half free   the halves change places, the full one is drained; it is written to the other one
//   ready      no room, the other not free    its files are synced
//   ready      drained / could not be         that half is free / it is drained again, at the next round
//   ready      no space to overwrite it       given up: rounds sync their files
//   ready, given up   retire()                all is synced, the file is removed: absent
//
// Draining a half: the logs' own files that its records speak of are synced. Invariant: a half is not written to before what it held is
// durable there, and a durable record says so. The last block of a half is kept for one that says only that.
// Threads: the loop's only, but for write() and the works of chores.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "io/file_system.h"
#include "log/quick_rounds.h"

namespace tripos::log {

struct JournalOptions {
  std::uint64_t half_bytes = 0;  // a multiple of journal_block; 0: there is no journal
  // A round of more bytes for each of its files, or of more altogether, syncs them: writing twice costs more then (docs/adr/0037).
  std::uint64_t file_bytes_max = 32u << 10;
  std::uint64_t round_bytes_max = 1u << 20;
  std::uint64_t rounds_before = 32;  // so many small rounds, and it is made
  QuickRoundsOptions quick = {};
};

// What was written to a file since its last sync: [begin, end).
struct UnsyncedTail {
  std::shared_ptr<io::File> file;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

class CommitJournal {
 public:
  // All files that rounds speak of lie in `data`. From `sync_all_from` files on a half is drained by one sync of everything.
  CommitJournal(io::FileSystem& files, std::string data, JournalOptions options, std::size_t sync_all_from);

  struct Place {
    std::shared_ptr<io::File> file;
    Uuid run;
    std::uint64_t position = 0;
    std::uint64_t bytes = 0;
    std::uint64_t number = 0;
    std::uint64_t drained_below = 0;
    std::optional<std::uint64_t> closing_position;  // where the record of the number before says what was drained
  };
  // Where the round that makes these durable is to be written; nothing: their files are to be synced. One round at a time.
  [[nodiscard]] std::optional<Place> place(const std::vector<UnsyncedTail>& tails);
  // Writes and syncs the round. On any thread.
  [[nodiscard]] static Result<> write(const Place& place, const std::vector<UnsyncedTail>& tails, const std::string& data);
  // The round that place() was asked for last has been written there.
  void written(const Place& place, const std::vector<UnsyncedTail>& tails);
  // It could not be, for want of space: it, and all that come, sync their files.
  void give_up();

  // Blocking work, and what the loop does after it: for GroupCommit::run_chore().
  struct Chore {
    std::function<Result<>()> work;
    std::function<void(const Result<>&)> done;
  };
  // What is due since the last call.
  [[nodiscard]] std::optional<Chore> next_chore();
  // Ends it: nothing is written to it any more. No other chore of it is under way.
  [[nodiscard]] Chore retire();

 private:
  enum class State { absent, making, ready, given_up };
  struct Half {
    std::uint64_t begin = 0;
    std::uint64_t position = 0;
    std::set<std::string> paths;  // of the files that its records speak of
    enum class Use { free, drain_due, draining } use = Use::free;
  };

  [[nodiscard]] Chore make();
  [[nodiscard]] Chore drain();
  [[nodiscard]] Half& other() noexcept { return halves_[1 - current_]; }

  io::FileSystem& files_;
  std::string data_;
  JournalOptions options_;
  std::size_t sync_all_from_;
  State state_ = State::absent;
  std::uint64_t small_rounds_ = 0;
  std::shared_ptr<io::File> file_;
  Uuid run_;
  std::array<Half, 2> halves_;
  std::size_t current_ = 0;
  std::uint64_t first_number_ = 1;  // of the current half
  std::uint64_t next_number_ = 1;
  std::uint64_t drained_below_ = 1;
  std::uint64_t told_drained_below_ = 1;  // by a durable record
};

}  // namespace tripos::log
