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
    std::vector<AbortedTransaction> transactions;
    for (const protocol::PinnedAborted& each : range.aborted) transactions.push_back({each.producer_id, each.first, each.last});
    const AbortedBatches aborted(transactions);
    for (const protocol::PinnedSlice& slice : range.slices) {
      if (slice.descriptor >= descriptors.size() || slice.begin > slice.end) {
        return fail(ErrorCode::malformed, "a slice of the pin names descriptor {} of {}, bytes [{}, {})", slice.descriptor,
                    descriptors.size(), slice.begin, slice.end);
      }
      if (slice.begin == slice.end) {
        continue;
      }
      TRIPOS_ASSIGN(MappedBytes mapped, MappedBytes::map(descriptors[slice.descriptor].number(), slice.begin, slice.end));
      const LogPiece whole{range.partition, mapped.bytes(), range.begin, range.end, slice.begin, &log.file_names_.emplace_back(slice.file)};
      log.mappings_.push_back(std::move(mapped));
      if (auto done = log.cut(whole, BatchOrder(slice.from, slice.to), aborted, piece_bytes); !done) {
        return tl::unexpected(std::move(done).error().within(slice.file));
      }
    }
  }
  return log;
}

Result<> LiveLog::cut(const LogPiece& whole, BatchOrder order, const AbortedBatches& aborted, std::size_t piece_bytes) {
  std::size_t start = 0;
  std::size_t at = 0;
  const auto end_piece = [&] {
    if (at > start) {
      LogPiece& piece = pieces_.emplace_back(whole);
      piece.bytes = whole.bytes.substr(start, at - start);
      piece.file_position += start;
    }
    start = at;
  };
  while (at < whole.bytes.size()) {
    const Bytes rest = whole.bytes.substr(at);
    const auto batch = RecordBatchView::parse(rest);
    if (!batch) return fail(ErrorCode::corrupt, "no whole record batch at byte {}", whole.file_position + at);
    TRIPOS_TRY(order.take(whole.file_position + at, batch->base_offset(), batch->next_offset()));
    if (aborted.contains(*batch)) {
      end_piece();
      start = at = at + batch->bytes().size();
      continue;
    }
    record_count_ += batch->record_count();
    at += batch->bytes().size();
    if (at - start >= piece_bytes) end_piece();
  }
  end_piece();
  return {};
}

}  // namespace tripos::worker
