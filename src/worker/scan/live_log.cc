#include "worker/scan/live_log.h"

#include <sys/mman.h>
#include <unistd.h>

#include <utility>

#include "model/record_batch.h"

namespace tripos::worker {

MappedBytes::MappedBytes(MappedBytes&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)), size_(other.size_), bytes_(other.bytes_) {}

MappedBytes::~MappedBytes() {
  if (base_ != nullptr) {
    munmap(base_, size_);
  }
}

Result<MappedBytes> MappedBytes::map(int descriptor, std::uint64_t begin, std::uint64_t end) {
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  const std::uint64_t aligned = begin / page * page;
  const std::size_t file_size = (end - aligned + page - 1) / page * page;
  const std::size_t size = file_size + page;
  // Room for all, of zeros; then the file over all but the last page.
  void* base = mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) {
    return tl::unexpected(os_error(errno, "mapping", "the log"));
  }
  MappedBytes mapped(base, size, Bytes(static_cast<const char*>(base) + (begin - aligned), end - begin));
  if (file_size > 0 && mmap(base, file_size, PROT_READ, MAP_SHARED | MAP_FIXED, descriptor, static_cast<off_t>(aligned)) == MAP_FAILED) {
    return tl::unexpected(os_error(errno, "mapping", "a segment of the log"));
  }
  madvise(base, file_size, MADV_SEQUENTIAL);
  return mapped;
}

Result<LiveLog> LiveLog::open(std::span<const protocol::PinnedRange> ranges, std::span<const protocol::Descriptor> descriptors,
                              std::size_t piece_bytes) {
  LiveLog log;
  for (const protocol::PinnedRange& range : ranges) {
    for (const protocol::PinnedSlice& slice : range.slices) {
      if (slice.descriptor >= descriptors.size() || slice.begin > slice.end) {
        return fail(ErrorCode::malformed, "a slice of the pin names descriptor {} of {}, bytes [{}, {})", slice.descriptor,
                    descriptors.size(), slice.begin, slice.end);
      }
      if (slice.begin == slice.end) {
        continue;
      }
      TRIPOS_ASSIGN(MappedBytes mapped, MappedBytes::map(descriptors[slice.descriptor].number(), slice.begin, slice.end));
      const LogPiece whole{range.partition, mapped.bytes(), range.begin, range.end};
      log.mappings_.push_back(std::move(mapped));
      TRIPOS_TRY(log.cut(whole, piece_bytes));
    }
  }
  return log;
}

Result<> LiveLog::cut(const LogPiece& whole, std::size_t piece_bytes) {
  std::size_t start = 0;
  std::size_t at = 0;
  while (at < whole.bytes.size()) {
    const Bytes rest = whole.bytes.substr(at);
    const auto size = rest.size() < batch_layout::header_size ? std::nullopt : RecordBatchView::size_from_prefix(rest);
    if (!size || *size > rest.size()) {
      return fail(ErrorCode::corrupt, "the log of partition {} has no whole record batch at byte {} of a slice", whole.partition, at);
    }
    record_count_ += load_be<std::int32_t>(rest.data() + batch_layout::record_count);
    at += *size;
    if (at - start >= piece_bytes || at == whole.bytes.size()) {
      pieces_.push_back({whole.partition, whole.bytes.substr(start, at - start), whole.begin, whole.end});
      start = at;
    }
  }
  return {};
}

}  // namespace tripos::worker
