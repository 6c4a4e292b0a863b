// A commit journal with any damage. The input makes two logs whose rounds go to a journal, ends their process by a kill or a power cut,
// changes the journal (bytes, sizes, whole blocks; also records of any content whose checksums fit), and replays it. Then: only segments
// have changed, and none has become shorter; without damage all that was acknowledged is there; with damage that a disk can do, the start
// is refused or nothing is missing but the journal's last record, which can't be told from one that was torn.
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/crc32c.h"
#include "input.h"
#include "io/sim/sim_file_system.h"
#include "log/journal_format.h"
#include "log/journal_replay.h"
#include "log/paths.h"
#include "log_process.h"

namespace tripos::log {
namespace {

using fuzz::data;
using fuzz::Input;
using fuzz::LogProcess;

const std::vector<std::string> directories = {"data/topics/t/0", "data/topics/t/1"};
constexpr std::uint64_t half_bytes = 4 * journal_block;
using Ends = std::array<Offset, 2>;
using Sizes = std::map<std::string, std::uint64_t>;

CommitOptions commit_options(Input& input) {
  CommitOptions options;
  options.journal = {.half_bytes = half_bytes, .round_bytes_max = 8000, .rounds_before = 1};
  if (input.flag()) options.journal.quick.before = 0;
  return options;
}

Ends ends_of(LogProcess& process) { return {process.log(0).durable_end().offset, process.log(1).durable_end().offset}; }

struct Acknowledged {
  Ends before_last_record{};  // of the journal; at least
  Ends all{};
};

Acknowledged write_logs(io::SimFileSystem& files, const LogOptions& options, Input& input) {
  LogProcess process(files, directories, options, commit_options(input));
  CHECK(process.is_open());
  Acknowledged acknowledged;
  std::uint64_t journal_rounds = 0;
  for (std::size_t count = input.below(64); count > 0; --count) {
    const auto choice = input.take<std::uint8_t>();
    process.append(choice % 2, fuzz::make_batch(Buffer(choice, 'v'), 1000, 1));
    if (choice % 16 == 0) process.log(choice % 2).checkpoint([](const Result<>&) {});
    if (input.flag()) continue;
    process.sync();
    const Ends before = std::exchange(acknowledged.all, ends_of(process));
    const std::uint64_t rounds = process.counters().journal_rounds;
    if (rounds != journal_rounds) acknowledged.before_last_record = before;
    journal_rounds = rounds;
  }
  return acknowledged;
}

// Kind of each file's path: its size.
Sizes sizes_of(io::SimFileSystem& files, const std::string& directory) {
  Sizes sizes;
  const auto entries = files.list(directory);
  CHECK(entries);
  for (const auto& entry : *entries) {
    const std::string path = directory + "/" + entry.name;
    if (entry.directory) {
      sizes.merge(sizes_of(files, path));
    } else {
      sizes[path] = files.open(path, io::OpenMode::read).value()->size().value();
    }
  }
  return sizes;
}

// A record that nobody has written, under a checksum that fits.
Buffer any_record(const Uuid& run, Input& input) {
  JournalRecordBuilder record(run, input.take<std::uint8_t>(), input.flag() ? input.take<std::uint8_t>() : input.take<std::uint64_t>());
  for (std::size_t entries = input.below(4); entries > 0; --entries) {
    const std::string name = input.flag() ? std::string(input.take_short()) : segment_path("topics/t/0", Offset(0));
    const std::uint64_t position = input.flag() ? input.take<std::uint8_t>() : input.take<std::uint64_t>();
    const Bytes bytes = input.take_short();
    record.add(name, position, static_cast<std::uint32_t>(bytes.size()));
    record.bytes() += bytes;
  }
  return Buffer(record.finish());
}

enum class Damage { none, of_one_block, crafted };

Damage damage(io::SimFileSystem& files, Input& input) {
  const std::string path = journal_path(data);
  if (!files.exists(path).value() || input.empty()) return Damage::none;
  Buffer bytes = io::read_file(files, path, 1u << 20).value();
  const auto head = decode_journal_head(bytes);
  CHECK(head && bytes.size() == head->file_bytes());
  const std::size_t block = 1 + input.below(bytes.size() / journal_block - 1);
  auto kind = Damage::of_one_block;
  switch (input.take<std::uint8_t>() % 5) {
    case 0: bytes[block * journal_block + input.below(journal_block)] = static_cast<char>(input.take<std::uint8_t>()); break;
    case 1: bytes.replace(block * journal_block, journal_block, journal_block, '\0'); break;
    case 2: bytes.replace(input.below(bytes.size()), 1, 1, static_cast<char>(input.take<std::uint8_t>())); break;
    case 3:
      bytes.resize(input.below(bytes.size()));
      kind = Damage::crafted;
      break;
    default: {
      const Buffer record = any_record(head->run, input);
      bytes.replace(block * journal_block, record.size(), record);
      kind = Damage::crafted;
    }
  }
  const auto file = files.open(path, io::OpenMode::replace).value();
  CHECK(file->write_at(0, std::array{Bytes(bytes)}));
  return kind;
}

void check_logs(io::SimFileSystem& files, const LogOptions& options, const Ends& least, Damage done) {
  LogProcess process(files, directories, options);
  if (!process.is_open()) {
    CHECK(done == Damage::crafted && process.error().code == ErrorCode::corrupt);
    return;
  }
  if (done == Damage::crafted) return;
  const Ends ends = ends_of(process);
  for (std::size_t i = 0; i < ends.size(); ++i) {
    CHECK(ends[i] >= least[i]);
    const auto read = process.log(i).read(Offset(0), process.log(i).durable_end(), 1u << 20);
    CHECK(read && (read->next == ends[i] || ends[i] == Offset(0)));
  }
}

void fuzz_journal(Input input) {
  LogOptions options{.segment_bytes = 600 + 16 * std::uint64_t{input.take<std::uint8_t>()}};
  options.verify_all = true;
  auto files = std::make_unique<io::SimFileSystem>();
  CHECK(files->make_directories(data));
  CHECK(files->sync_directory("."));
  const Acknowledged acknowledged = write_logs(*files, options, input);
  const auto survival = static_cast<io::Survival>(input.below(5));
  files = files->after_power_cut(survival, input.take<std::uint8_t>());
  const Damage done = damage(*files, input);

  const Sizes before = sizes_of(*files, data);
  const auto replayed = replay_journal(*files, data);
  const Sizes after = sizes_of(*files, data);
  CHECK(before.size() == after.size());
  for (const auto& [path, size] : before) {
    CHECK(after.contains(path));
    CHECK(path.ends_with(".log") ? after.at(path) >= size : after.at(path) == size);
  }
  if (!replayed) {
    CHECK(done != Damage::none && replayed.error().code == ErrorCode::corrupt);
    return;
  }
  CHECK(done == Damage::crafted || replayed->damaged.empty());
  CHECK(files->sync_all(data));
  CHECK(remove_journal(*files, data));
  check_logs(*files, options, done == Damage::none ? acknowledged.all : acknowledged.before_last_record, done);
}

}  // namespace
}  // namespace tripos::log

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tripos::log::fuzz_journal(tripos::fuzz::Input(data, size));
  return 0;
}
