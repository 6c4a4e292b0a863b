#include "broker/net/send_queue.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace tripos::broker {

namespace {

constexpr std::size_t slice_read_bytes = 256 << 10;  // of a file that has no descriptor (simulation)

// The bytes of a part that lies in memory.
std::optional<Bytes> in_memory(const wire::Output::Part& part) {
  if (const auto* owned = std::get_if<Buffer>(&part)) return *owned;
  if (const auto* shared = std::get_if<wire::SharedBuffer>(&part)) return **shared;
  return std::nullopt;
}

std::uint64_t size_of(const wire::Output::Part& part) {
  if (const auto bytes = in_memory(part)) return bytes->size();
  const auto& slice = std::get<LogSlice>(part);
  return slice.end - slice.begin;
}

}  // namespace

void SendQueue::add(wire::Output output) {
  for (auto& part : output.take_parts()) {
    if (size_of(part) == 0) continue;
    if (const auto bytes = in_memory(part)) memory_bytes_ += bytes->size();
    parts_.push_back(std::move(part));
  }
}

Result<bool> SendQueue::send(io::Socket& socket) {
  while (!parts_.empty()) {
    std::size_t tried = 0;
    const auto* slice = std::get_if<LogSlice>(&parts_.front());
    TRIPOS_ASSIGN(const std::size_t sent, slice != nullptr ? send_slice(socket, *slice, tried) : send_memory(socket, tried));
    advance(sent);
    if (sent < tried) return false;  // the socket takes no more now
  }
  return true;
}

Result<std::size_t> SendQueue::send_memory(io::Socket& socket, std::size_t& tried) {
  std::array<Bytes, io::Socket::write_parts_max> parts;
  std::size_t count = 0;
  for (const auto& part : parts_) {
    const auto bytes = in_memory(part);
    if (!bytes || count == parts.size()) break;
    parts[count] = count == 0 ? bytes->substr(static_cast<std::size_t>(front_sent_)) : *bytes;
    tried += parts[count].size();
    ++count;
  }
  return socket.write(std::span(parts).first(count), count < parts_.size());
}

Result<std::size_t> SendQueue::send_slice(io::Socket& socket, const LogSlice& slice, std::size_t& tried) {
  const std::uint64_t position = slice.begin + front_sent_;
  tried = static_cast<std::size_t>(slice.end - position);
  if (slice.file->descriptor() >= 0) return socket.send_file(slice.file->descriptor(), position, tried);
  tried = std::min(tried, slice_read_bytes);
  Buffer bytes;
  TRIPOS_TRY(slice.file->read(position, tried, bytes));
  const std::array<Bytes, 1> parts{bytes};
  return socket.write(parts, parts_.size() > 1);
}

void SendQueue::advance(std::size_t bytes) {
  sent_bytes_ += bytes;
  while (bytes > 0) {
    const std::uint64_t left = size_of(parts_.front()) - front_sent_;
    if (bytes < left) {
      front_sent_ += bytes;
      return;
    }
    bytes -= static_cast<std::size_t>(left);
    front_sent_ = 0;
    if (const auto memory = in_memory(parts_.front())) memory_bytes_ -= memory->size();
    parts_.pop_front();
  }
}

}  // namespace tripos::broker
