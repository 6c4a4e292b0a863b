#include "wire/records_payload.h"

#include "base/check.h"

namespace tripos::wire {
namespace {

struct SamePart {
  bool operator()(Bytes a, Bytes b) const noexcept { return a == b; }
  bool operator()(const SharedBuffer& a, const SharedBuffer& b) const noexcept { return *a == *b; }
  bool operator()(const LogSlice& a, const LogSlice& b) const noexcept { return a.file == b.file && a.begin == b.begin && a.end == b.end; }
  template <typename A, typename B>
  bool operator()(const A&, const B&) const noexcept {
    return false;
  }
};

}  // namespace

RecordsPayload RecordsPayload::null() {
  RecordsPayload payload;
  payload.null_ = true;
  return payload;
}

void RecordsPayload::add(Bytes view) {
  null_ = false;
  if (view.empty()) return;
  size_bytes_ += view.size();
  parts_.emplace_back(view);
}

void RecordsPayload::add(Buffer&& owned) {
  null_ = false;
  if (owned.empty()) return;
  size_bytes_ += owned.size();
  parts_.emplace_back(std::make_shared<const Buffer>(std::move(owned)));
}

void RecordsPayload::add(LogSlice slice) {
  CHECK(slice.begin <= slice.end);
  null_ = false;
  if (slice.begin == slice.end) return;
  size_bytes_ += slice.end - slice.begin;
  parts_.emplace_back(std::move(slice));
}

Bytes RecordsPayload::decoded_bytes() const noexcept {
  if (parts_.empty()) return {};
  CHECK(parts_.size() == 1 && std::holds_alternative<Bytes>(parts_.front()));
  return *std::get_if<Bytes>(&parts_.front());
}

bool operator==(const RecordsPayload& a, const RecordsPayload& b) {
  if (a.null_ != b.null_ || a.parts_.size() != b.parts_.size()) return false;
  for (std::size_t i = 0; i < a.parts_.size(); ++i) {
    if (!std::visit(SamePart{}, a.parts_[i], b.parts_[i])) return false;
  }
  return true;
}

}  // namespace tripos::wire
