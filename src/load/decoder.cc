// The compressed formats that files come in: gzip (RFC 1952), Zstandard (RFC 8878), LZ4 frames.
#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>

#include <limits>

#include "base/check.h"
#include "load/byte_source.h"

namespace tripos::load {
namespace {

constexpr int zstd_window_log_max = 27;  // 128 MiB, as the zstd command takes without being asked for more

class GzipDecoder final : public Decoder {
 public:
  GzipDecoder() { CHECK(inflateInit2(&stream_, MAX_WBITS + 16) == Z_OK); }
  ~GzipDecoder() override { inflateEnd(&stream_); }
  GzipDecoder(const GzipDecoder&) = delete;
  GzipDecoder& operator=(const GzipDecoder&) = delete;

  Result<std::size_t> decode(Bytes& from, std::span<char> to) override {
    CHECK(from.size() <= std::numeric_limits<uInt>::max() && to.size() <= std::numeric_limits<uInt>::max());
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(from.data()));
    stream_.avail_in = static_cast<uInt>(from.size());
    stream_.next_out = reinterpret_cast<Bytef*>(to.data());
    stream_.avail_out = static_cast<uInt>(to.size());
    // Also without input: what is decoded but had no room comes then.
    while (stream_.avail_out > 0 && (stream_.avail_in > 0 || !between_members_)) {
      if (between_members_) {
        // gzip pads with zeros, and leaves what is not a member alone; so do tapes.
        if (*stream_.next_in == 0) {
          ++stream_.next_in;
          --stream_.avail_in;
          continue;
        }
        CHECK(inflateReset(&stream_) == Z_OK);
        between_members_ = false;
      }
      const int status = inflate(&stream_, Z_NO_FLUSH);
      between_members_ = status == Z_STREAM_END;
      if (status == Z_BUF_ERROR) break;  // needs more of one or the other
      if (status != Z_OK && status != Z_STREAM_END) {
        return fail(ErrorCode::malformed, "broken: {}", stream_.msg != nullptr ? stream_.msg : "not what it claims to be");
      }
    }
    from.remove_prefix(from.size() - stream_.avail_in);
    return to.size() - stream_.avail_out;
  }
  bool at_end() const noexcept override { return between_members_; }

 private:
  z_stream stream_{};
  bool between_members_ = false;
};

class ZstdDecoder final : public Decoder {
 public:
  ZstdDecoder() : stream_(ZSTD_createDStream(), &ZSTD_freeDStream) {
    CHECK(stream_ != nullptr);
    CHECK(ZSTD_isError(ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, zstd_window_log_max)) == 0);
  }

  Result<std::size_t> decode(Bytes& from, std::span<char> to) override {
    ZSTD_inBuffer input{from.data(), from.size(), 0};
    ZSTD_outBuffer output{to.data(), to.size(), 0};
    while (output.pos < output.size && (input.pos < input.size || more_output_)) {
      const std::size_t before = output.pos;
      const std::size_t left = ZSTD_decompressStream(stream_.get(), &output, &input);
      if (ZSTD_isError(left) != 0) return fail(ErrorCode::malformed, "broken: {}", ZSTD_getErrorName(left));
      between_frames_ = left == 0;
      // What is decoded but had no room comes without more input.
      more_output_ = output.pos == output.size && left != 0;
      if (output.pos == before && input.pos == input.size) break;
    }
    from.remove_prefix(input.pos);
    return output.pos;
  }
  bool at_end() const noexcept override { return between_frames_; }

 private:
  std::unique_ptr<ZSTD_DStream, std::size_t (*)(ZSTD_DStream*)> stream_;
  bool between_frames_ = false;
  bool more_output_ = false;
};

class Lz4Decoder final : public Decoder {
 public:
  Lz4Decoder() { CHECK(LZ4F_isError(LZ4F_createDecompressionContext(&context_, LZ4F_VERSION)) == 0); }
  ~Lz4Decoder() override { LZ4F_freeDecompressionContext(context_); }
  Lz4Decoder(const Lz4Decoder&) = delete;
  Lz4Decoder& operator=(const Lz4Decoder&) = delete;

  Result<std::size_t> decode(Bytes& from, std::span<char> to) override {
    std::size_t written = 0;
    while (written < to.size()) {
      std::size_t taken = from.size();
      std::size_t given = to.size() - written;
      const std::size_t hint = LZ4F_decompress(context_, to.data() + written, &given, from.data(), &taken, nullptr);
      if (LZ4F_isError(hint) != 0) return fail(ErrorCode::malformed, "broken: {}", LZ4F_getErrorName(hint));
      from.remove_prefix(taken);
      written += given;
      if (taken > 0 || given > 0) between_frames_ = hint == 0;
      if (given == 0 && from.empty()) break;
    }
    return written;
  }
  bool at_end() const noexcept override { return between_frames_; }

 private:
  LZ4F_dctx* context_ = nullptr;
  bool between_frames_ = false;
};

}  // namespace

FoundDecoder find_decoder(Bytes begin) {
  if (begin.starts_with("\x1f\x8b")) return {std::make_unique<GzipDecoder>(), "gzip"};
  if (begin.starts_with("\x28\xb5\x2f\xfd")) return {std::make_unique<ZstdDecoder>(), "Zstandard"};
  if (begin.starts_with("\x04\x22\x4d\x18")) return {std::make_unique<Lz4Decoder>(), "LZ4"};
  return {};
}

}  // namespace tripos::load
