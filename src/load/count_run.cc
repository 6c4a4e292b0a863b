#include "load/count_run.h"

#include <algorithm>

#include "base/crc32c.h"

namespace tripos::load {
namespace {

constexpr Bytes magic = "TRIPRUN1";
constexpr std::size_t block_size = 4096;
constexpr std::size_t block_head_size = 8;  // CRC, number of entries
constexpr std::size_t entry_size = 20;
constexpr std::size_t block_entries_max = (block_size - block_head_size) / entry_size;
constexpr std::size_t head_size = 8 + 8 + 8 + 8;  // magic, blocks, entries, seed
constexpr std::size_t write_size = std::size_t{1} << 20;

}  // namespace

Result<CountRunWriter> CountRunWriter::create(io::FileSystem& files, const std::string& path, std::uint64_t seed) {
  TRIPOS_ASSIGN(auto file, files.open(path, io::OpenMode::replace));
  return CountRunWriter(std::move(file), seed);
}

Result<> CountRunWriter::add(const Count& count) {
  if (block_.empty()) append_be(fences_, count.hash.high);
  append_be(block_, count.hash.high);
  append_be(block_, count.hash.low);
  append_be(block_, count.count);
  ++entry_count_;
  if (block_.size() == block_entries_max * entry_size) return end_block();
  return {};
}

Result<> CountRunWriter::end_block() {
  Buffer body;
  append_be(body, static_cast<std::uint32_t>(block_.size() / entry_size));
  body += block_;
  body.resize(block_size - sizeof(std::uint32_t), '\0');
  append_be(blocks_, crc32c(body));
  blocks_ += body;
  block_.clear();
  if (blocks_.size() >= write_size) return write_blocks();
  return {};
}

Result<> CountRunWriter::write_blocks() {
  const Bytes parts[] = {blocks_};
  TRIPOS_TRY(file_->write_at((1 + block_count_) * block_size, parts));
  block_count_ += blocks_.size() / block_size;
  blocks_.clear();
  // As it goes: a commit of the log's never has to wait for all of it (rules, 1.2).
  return file_->sync_data();
}

Result<> CountRunWriter::finish() {
  if (!block_.empty()) TRIPOS_TRY(end_block());
  if (!blocks_.empty()) TRIPOS_TRY(write_blocks());
  append_be(fences_, crc32c(fences_));
  const Bytes fence_parts[] = {fences_};
  TRIPOS_TRY(file_->write_at((1 + block_count_) * block_size, fence_parts));
  Buffer head(magic);
  append_be(head, block_count_);
  append_be(head, entry_count_);
  append_be(head, seed_);
  append_be(head, crc32c(head));
  head.resize(block_size, '\0');
  const Bytes head_parts[] = {head};
  TRIPOS_TRY(file_->write_at(0, head_parts));
  return file_->sync_data();
}

tl::unexpected<Error> CountRun::damaged(std::string_view what) const {
  return fail(ErrorCode::corrupt,
              "{} is damaged: {}. It holds only what can be counted again from the log: remove its directory and load again", path(), what);
}

Result<CountRun> CountRun::open(io::FileSystem& files, const std::string& path, std::uint64_t seed) {
  TRIPOS_ASSIGN(auto file, files.open(path, io::OpenMode::read));
  CountRun run(std::move(file));
  TRIPOS_TRY(run.read_head(seed));
  return run;
}

Result<> CountRun::read_head(std::uint64_t seed) {
  TRIPOS_ASSIGN(const std::uint64_t size, file_->size());
  Buffer head(head_size + sizeof(std::uint32_t), '\0');
  if (size < block_size || !io::read_exactly(*file_, 0, head)) return damaged("it is too short");
  if (!head.starts_with(magic) || load_be<std::uint32_t>(&head[head_size]) != crc32c(Bytes(head).substr(0, head_size)))
    return damaged("it does not begin as a run of counts does");
  const auto block_count = load_be<std::uint64_t>(&head[8]);
  entry_count_ = load_be<std::uint64_t>(&head[16]);
  if (load_be<std::uint64_t>(&head[24]) != seed) return damaged("it belongs to another index");
  // What the head says is bounded by the file's size before anything is allocated.
  if (block_count > size / block_size || size != (1 + block_count) * block_size + block_count * 8 + 4) return damaged("its size is wrong");
  raw_.resize(block_count * 8 + 4);
  TRIPOS_TRY(io::read_exactly(*file_, (1 + block_count) * block_size, raw_));
  const Bytes fences = Bytes(raw_).substr(0, block_count * 8);
  if (load_be<std::uint32_t>(raw_.data() + fences.size()) != crc32c(fences)) return damaged("wrong checksum of its fences");
  fences_.resize(block_count);
  for (std::size_t i = 0; i < block_count; ++i) fences_[i] = load_be<std::uint64_t>(fences.data() + i * 8);
  return {};
}

Result<> CountRun::read_block(std::uint64_t number, std::vector<Count>& to) {
  raw_.resize(block_size);
  TRIPOS_TRY(io::read_exactly(*file_, number * block_size, raw_));
  const auto count = load_be<std::uint32_t>(raw_.data() + 4);
  if (load_be<std::uint32_t>(raw_.data()) != crc32c(Bytes(raw_).substr(4)) || count > block_entries_max)
    return damaged(fmt::format("wrong checksum of block {}", number));
  to.resize(count);
  const char* at = raw_.data() + block_head_size;
  for (Count& entry : to) {
    entry = {.hash = {.high = load_be<std::uint64_t>(at), .low = load_be<std::uint64_t>(at + 8)}, .count = load_be<std::uint32_t>(at + 16)};
    at += entry_size;
  }
  return {};
}

Result<std::uint32_t> CountRun::count(const ContentHash& hash) {
  // The last block that begins below the hash's high half can hold it, and those that begin with just that half.
  const auto above = std::upper_bound(fences_.begin(), fences_.end(), hash.high);
  auto below = std::lower_bound(fences_.begin(), above, hash.high);
  if (below != fences_.begin()) --below;
  for (auto block = below; block != above; ++block) {
    const auto number = static_cast<std::uint64_t>(block - fences_.begin()) + 1;
    if (number != block_number_) {
      block_number_ = 0;
      TRIPOS_TRY(read_block(number, block_));
      block_number_ = number;
    }
    const auto found =
        std::lower_bound(block_.begin(), block_.end(), hash, [](const Count& a, const ContentHash& b) { return a.hash < b; });
    if (found != block_.end() && found->hash == hash) return found->count;
  }
  return 0U;
}

Result<const Count*> CountRun::Cursor::next() {
  while (next_ == entries_.size()) {
    if (next_block_ > run_->fences_.size()) return nullptr;
    TRIPOS_TRY(run_->read_block(next_block_++, entries_));
    next_ = 0;
  }
  return &entries_[next_++];
}

}  // namespace tripos::load
