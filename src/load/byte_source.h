// ByteSource: a file or standard input as a stream of bytes; gzip, Zstandard and LZ4 are undone, told by how the content begins, not by
// the name. Several compressed members, one behind the other, are one stream, as with the tools of those formats.
// Memory: a block, and what the decoder needs (Zstandard: a window of at most 128 MiB; a larger one is refused).
// Owns its descriptor. Threads: one at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

namespace tripos::load {

// A decoder of one format; src/load/decoder.cc has them.
class Decoder {
 public:
  virtual ~Decoder() = default;
  // Decodes from the front of `from`, which is then shorter, to `to`; how many bytes were written. malformed: it is broken.
  [[nodiscard]] virtual Result<std::size_t> decode(Bytes& from, std::span<char> to) = 0;
  // Between members: the input may end here.
  [[nodiscard]] virtual bool at_end() const noexcept = 0;
};

// By the first bytes; null: not compressed. `name`: of the format.
struct FoundDecoder {
  std::unique_ptr<Decoder> decoder;
  std::string_view name;
};
inline constexpr std::size_t magic_bytes_max = 4;
[[nodiscard]] FoundDecoder find_decoder(Bytes begin);

class ByteSource {
 public:
  // "-" is standard input. The path is in every error.
  // `cancelled`: ends a wait for input, once it is set (by a signal).
  [[nodiscard]] static Result<ByteSource> open(const std::string& path, const std::atomic<bool>* cancelled = nullptr);

  // Only before the first read().
  ByteSource(ByteSource&& other) noexcept;
  ByteSource& operator=(ByteSource&&) = delete;
  ~ByteSource();

  // The next bytes, good until the next call; none at the end.
  [[nodiscard]] Result<Bytes> read();

  // Whether read() would have to wait for more input.
  [[nodiscard]] bool would_wait() const;

  // As it lies on the disk: for progress. 0: unknown (a pipe).
  [[nodiscard]] std::uint64_t size_bytes() const noexcept { return size_bytes_; }
  [[nodiscard]] std::uint64_t position_bytes() const noexcept { return position_bytes_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  // "gzip", "Zstandard", "LZ4"; empty: not compressed, or nothing was read yet.
  [[nodiscard]] std::string_view compression() const noexcept { return compression_; }

 private:
  ByteSource(int descriptor, std::string name, const std::atomic<bool>* cancelled)
      : descriptor_(descriptor), name_(std::move(name)), cancelled_(cancelled) {}
  // Appends what the descriptor gives to raw_; false: its end.
  [[nodiscard]] Result<bool> fill();
  [[nodiscard]] Result<Bytes> read_decoded();

  int descriptor_;
  std::string name_;
  const std::atomic<bool>* cancelled_;
  std::uint64_t size_bytes_ = 0;
  std::uint64_t position_bytes_ = 0;
  bool begun_ = false;
  bool at_end_ = false;
  Buffer raw_;
  Bytes rest_;  // of raw_: not yet given
  Buffer decoded_;
  std::unique_ptr<Decoder> decoder_;
  std::string_view compression_;
};

}  // namespace tripos::load
