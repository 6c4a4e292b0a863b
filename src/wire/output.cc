#include "wire/output.h"

#include <limits>
#include <utility>

#include "base/check.h"

namespace tripos::wire {
namespace {

std::uint64_t size_of(const Output::Part& part) noexcept {
  if (const auto* buffer = std::get_if<Buffer>(&part)) return buffer->size();
  if (const auto* shared = std::get_if<SharedBuffer>(&part)) return (*shared)->size();
  const auto& slice = *std::get_if<LogSlice>(&part);
  return slice.end - slice.begin;
}

}  // namespace

Buffer& Output::tail() {
  if (!std::holds_alternative<Buffer>(parts_.back())) parts_.emplace_back(Buffer());
  return *std::get_if<Buffer>(&parts_.back());
}

void Output::append(SharedBuffer buffer) { parts_.emplace_back(std::move(buffer)); }

void Output::append(LogSlice slice) { parts_.emplace_back(std::move(slice)); }

std::uint64_t Output::size_bytes() const noexcept {
  std::uint64_t size = 0;
  for (const auto& part : parts_) size += size_of(part);
  return size;
}

std::vector<Output::Part> Output::take_parts() {
  std::vector<Part> taken;
  taken.emplace_back(Buffer());
  std::swap(taken, parts_);
  return taken;
}

Result<Buffer> Output::flatten() const {
  Buffer all;
  all.reserve(size_bytes());
  for (const auto& part : parts_) {
    if (const auto* buffer = std::get_if<Buffer>(&part)) {
      all.append(*buffer);
    } else if (const auto* shared = std::get_if<SharedBuffer>(&part)) {
      all.append(**shared);
    } else {
      const auto& slice = *std::get_if<LogSlice>(&part);
      TRIPOS_TRY(slice.file->read(slice.begin, slice.end - slice.begin, all));
    }
  }
  return all;
}

void Output::patch_frame_size() {
  auto* first = std::get_if<Buffer>(&parts_.front());
  CHECK(first != nullptr && first->size() >= sizeof(std::int32_t));
  const std::uint64_t size = size_bytes() - sizeof(std::int32_t);
  CHECK(size <= static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max()));
  store_be(first->data(), static_cast<std::int32_t>(size));
}

}  // namespace tripos::wire
