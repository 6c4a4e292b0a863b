// A partition's directory with any damage. The input makes a log of a few segments, ends its process with or without a clean stop, changes
// its files (bytes, sizes, whole files; also batches whose checksums fit), and opens it again. Then: it is refused as damaged and nothing
// has changed on the disk; or it opens, no reading goes wrong, its indexes change no answer, and it takes appends that last.
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/check.h"
#include "base/crc32c.h"
#include "input.h"
#include "log/batch_scanner.h"
#include "log/paths.h"
#include "log_process.h"

namespace tripos::log {
namespace {

using fuzz::data;
using fuzz::Input;
using fuzz::make_batch;

const std::string directory = "data/topics/t/0";
using Files = std::unique_ptr<io::SimFileSystem>;
using Contents = std::map<std::string, Buffer>;

Contents contents_of(io::SimFileSystem& files) {
  Contents contents;
  const auto entries = files.list(directory);
  if (!entries) return contents;
  for (const auto& entry : *entries) contents[entry.name] = io::read_file(files, directory + "/" + entry.name, 1u << 30).value();
  return contents;
}

Files copy(const io::SimFileSystem& files) { return files.after_power_cut(io::Survival::everything, 1); }

void write_log(io::SimFileSystem& files, const LogOptions& options, Input& input) {
  fuzz::LogProcess process(files, {directory}, options);
  CHECK(process.is_open());
  for (std::size_t count = input.below(32); count > 0; --count) {
    const auto choice = input.take<std::uint8_t>();
    const Buffer value(choice % 64, 'v');
    const Buffer batch = make_batch(value, 1000 + input.take<std::uint8_t>(), 1 + choice / 64);
    process.append(0, batch);
    if (input.flag()) process.sync();
  }
  if (input.flag()) {
    process.close();
  } else if (input.flag()) {
    process.sync();
  }
}

// The positions of the batches of a segment.
std::vector<std::size_t> batches_of(Bytes segment) {
  std::vector<std::size_t> positions;
  BatchScanner scanner(segment, CheckCrc::no);
  while (true) {
    const std::size_t position = scanner.position();
    const auto batch = scanner.next();
    if (!batch || !*batch) return positions;
    positions.push_back(position);
  }
}

struct Damage {
  bool log_changed = false;
  bool time_index_changed = false;
};

void change(std::string name, Buffer bytes, io::SimFileSystem& files) {
  const auto file = files.open(directory + "/" + name, io::OpenMode::replace).value();
  CHECK(file->write_at(0, std::array{Bytes(bytes)}));
}

Damage damage(io::SimFileSystem& files, Input& input) {
  Damage damage;
  CHECK(files.make_directories(directory));
  while (!input.empty()) {
    Contents contents = contents_of(files);
    const auto operation = input.take<std::uint8_t>() % 8;
    if (contents.empty() && operation != 7) return damage;
    auto file = contents.begin();
    if (!contents.empty()) std::advance(file, input.below(contents.size()));
    const std::string name = contents.empty() ? "" : file->first;
    const bool is_log = name.ends_with(".log");
    const bool is_time_index = name.ends_with(".timeindex");
    Buffer bytes = contents.empty() ? "" : file->second;
    const std::size_t position = input.below(bytes.size() + 1);
    switch (operation) {
      case 0:
      case 1:
        bytes.replace(position, 1, 1, static_cast<char>(input.take<std::uint8_t>()));
        change(name, bytes, files);
        damage.log_changed |= is_log;
        damage.time_index_changed |= is_time_index;
        break;
      case 2:
        bytes.resize(position);
        change(name, bytes, files);
        damage.log_changed |= is_log;
        damage.time_index_changed |= is_time_index;
        break;
      case 3:
        change(name, bytes + Buffer(input.take_short()), files);
        damage.log_changed |= is_log;
        damage.time_index_changed |= is_time_index;
        break;
      case 4:
        CHECK(files.remove(directory + "/" + name));
        damage.log_changed |= is_log;
        break;
      case 5: {  // a field of a batch's header, its checksum made to fit
        if (!is_log) break;
        const auto batches = batches_of(bytes);
        if (batches.empty()) break;
        const std::size_t begin = batches[position % batches.size()];
        const auto size = *RecordBatchView::size_from_prefix(Bytes(bytes).substr(begin));
        const Bytes patch = input.take_bytes(1 + input.below(8));
        const std::size_t at = begin + input.below(std::min(size, batch_layout::header_size) - patch.size());
        bytes.replace(at, patch.size(), patch);
        store_be(bytes.data() + begin + batch_layout::crc,
                 crc32c(Bytes(bytes).substr(begin + batch_layout::attributes, size - batch_layout::attributes)));
        change(name, bytes, files);
        damage.log_changed = true;
        break;
      }
      case 6: {  // a whole batch of any offset at the end
        if (!is_log) break;
        Buffer batch = make_batch(input.take_short(), input.take<std::int16_t>(), 1);
        set_base_offset(batch.data(), Offset(input.flag() ? input.take<std::uint8_t>() : input.take<std::int64_t>()));
        change(name, bytes + batch, files);
        damage.log_changed = true;
        break;
      }
      default: {  // another file
        const Offset base(input.flag() ? input.take<std::uint8_t>() : input.take<std::int64_t>());
        const std::string paths[] = {segment_path(directory, base), offset_index_path(directory, base), time_index_path(directory, base),
                                     sync_failed_path(directory)};
        const std::string& path = paths[input.below(4)];
        change(path.substr(directory.size() + 1), Buffer(input.take_short()), files);
        damage.log_changed |= path.ends_with(".log");
        damage.time_index_changed |= path.ends_with(".timeindex");
      }
    }
  }
  return damage;
}

// All that reading gives, as text; nothing if reading fails, as corrupt.
std::optional<std::string> read_all(PartitionLog& log, const Damage& damage) {
  std::string all = fmt::format("{} {}\n", log.start_offset(), log.durable_end().offset);
  const auto good = [](const auto& result) {
    CHECK(result.has_value() || result.error().code == ErrorCode::corrupt);
    return result.has_value();
  };
  const Offset end = log.durable_end().offset;
  CHECK(log.start_offset() <= end);
  for (Offset from = log.start_offset(); from < end;) {
    const auto read = log.read(from, log.durable_end(), 200);
    if (!good(read)) return std::nullopt;
    CHECK(read->next > from || read->slices.empty());
    for (const LogSlice& slice : read->slices) {
      Buffer bytes;
      if (!good(slice.file->read(slice.begin, slice.end - slice.begin, bytes))) return std::nullopt;
      BatchScanner scanner(bytes, CheckCrc::no);
      while (true) {
        const auto batch = scanner.next();
        if (!good(batch)) return std::nullopt;
        if (!*batch) break;
        all += fmt::format("{}-{} ", (*batch)->base_offset(), (*batch)->last_offset());
      }
    }
    if (read->slices.empty()) break;
    from = read->next;
  }
  if (!good(log.for_each_header(log.start_offset(), log.durable_end(), [](const BatchHeader&, const LeasedFile&) { return Result<>(); })))
    return std::nullopt;
  if (!good(log.segments())) return std::nullopt;
  const auto largest = log.find_max_timestamp(log.durable_end());
  if (!largest) return std::nullopt;
  std::string by_time = *largest ? fmt::format("largest {} {}", (*largest)->timestamp_ms, (*largest)->offset) : "";
  for (const std::int64_t timestamp : {0, 1000, 1040, 1128, 1255, 100'000}) {
    const auto found = log.find_by_timestamp(timestamp, log.durable_end());
    if (!found) return std::nullopt;  // the records are looked into, which may be malformed too
    if (*found) by_time += fmt::format(" {}: {}", timestamp, (*found)->offset);
  }
  // Kafka's time index has no checksum: an entry that was changed can't be told from a good one, nor a closed one that lacks its end
  // from a whole one.
  if (!damage.time_index_changed) all += by_time;
  return all;
}

void append_and_reopen(io::SimFileSystem& files, const LogOptions& options, bool may_be_damaged) {
  Offset end;
  {
    fuzz::LogProcess process(files, {directory}, options);
    CHECK(process.is_open());
    end = process.log().durable_end().offset;
    const auto appended = process.log().append(make_batch("appended", 5000, 1), {});
    if (!appended) {
      CHECK(appended.error().code == ErrorCode::corrupt || appended.error().code == ErrorCode::out_of_range);
      return;
    }
    CHECK(appended->base_offset == end);
    process.sync();
    CHECK(process.log().durable_end().offset == end + 1);
  }
  fuzz::LogProcess again(files, {directory}, options);
  CHECK(again.is_open());
  CHECK(again.log().durable_end().offset == end + 1);
  const auto read = again.log().read(end, again.log().durable_end(), 1);
  if (!read && may_be_damaged) {
    CHECK(read.error().code == ErrorCode::corrupt);
    return;
  }
  CHECK(read && read->slices.size() == 1 && read->next == end + 1);
}

void fuzz_log(Input input) {
  LogOptions options{.segment_bytes = 400 + /* a batch of write_log() fits */ 16 * std::uint64_t{input.take<std::uint8_t>()},
                     .index_interval_bytes = 16 + input.take<std::uint8_t>() / 2u,
                     .index_size_max_bytes = 40 + 8u * input.take<std::uint8_t>()};
  auto files = std::make_unique<io::SimFileSystem>();
  CHECK(files->make_directories(data));
  CHECK(files->sync_directory("."));
  write_log(*files, options, input);
  options.verify_all = input.flag();
  const Damage done = damage(*files, input);

  const Contents before = contents_of(*files);
  const Files unindexed = copy(*files);
  for (const auto& [name, bytes] : before) {
    if (name.ends_with("index")) CHECK(unindexed->remove(directory + "/" + name));
  }
  {
    fuzz::LogProcess process(*files, {directory}, options);
    fuzz::LogProcess judge(*unindexed, {directory}, options);
    // Batches that nobody has looked at since they were damaged may be met by one way and not by another: making an index is one.
    const bool ways_agree = options.verify_all || !done.log_changed;
    if (ways_agree) CHECK(process.is_open() == judge.is_open());
    if (!process.is_open()) {
      CHECK(process.error().code == ErrorCode::corrupt);
      CHECK(contents_of(*files) == before);
      return;
    }
    if (!judge.is_open()) return;
    const auto read = read_all(process.log(), done);
    const auto expected = read_all(judge.log(), done);
    if (ways_agree) CHECK(read.has_value() == expected.has_value());
    if (read && expected && !done.log_changed) CHECK(*read == *expected);
  }
  append_and_reopen(*files, options, done.log_changed && !options.verify_all);
}

}  // namespace
}  // namespace tripos::log

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tripos::log::fuzz_log(tripos::fuzz::Input(data, size));
  return 0;
}
