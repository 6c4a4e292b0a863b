#include "model/compression.h"

#include <lz4frame.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <limits>
#include <memory>

#include "base/check.h"

namespace tripos {
namespace {

constexpr std::array<std::string_view, 5> names = {"none", "gzip", "snappy", "lz4", "zstd"};
constexpr std::size_t step_bytes = 64 * 1024;

// The xerial framing: this magic, two versions (8 bytes), then blocks, each after its size.
constexpr Bytes xerial_magic("\x82SNAPPY\0", 8);
constexpr std::size_t xerial_header_bytes = 16;
constexpr std::size_t xerial_block_bytes = 32 * 1024;

tl::unexpected<Error> bomb(Compression codec, std::size_t size_max) {
  return fail(ErrorCode::too_large, "{} data grows beyond the limit of {} bytes", to_string(codec), size_max);
}

tl::unexpected<Error> broken(Compression codec, std::string_view why) {
  return fail(ErrorCode::malformed, "{} data is broken: {}", to_string(codec), why);
}

// Room for the next output step, never past the limit by more than the one byte that shows that it is passed.
void grow(Buffer& to, std::size_t written, std::size_t size_max) {
  if (to.size() == written) to.resize(std::min(size_max + 1, std::max(written * 2, written + step_bytes)));
}

void gzip_compress(Bytes from, Buffer& to, int level) {
  z_stream stream{};
  CHECK(deflateInit2(&stream, level == 0 ? Z_DEFAULT_COMPRESSION : level, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  to.resize(deflateBound(&stream, from.size()));
  CHECK(from.size() <= std::numeric_limits<uInt>::max());
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(from.data()));
  stream.avail_in = static_cast<uInt>(from.size());
  stream.next_out = reinterpret_cast<Bytef*>(to.data());
  stream.avail_out = static_cast<uInt>(to.size());
  CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  to.resize(stream.total_out);
  deflateEnd(&stream);
}

Result<> gzip_decompress(Bytes from, std::size_t size_max, Buffer& to) {
  z_stream stream{};
  CHECK(inflateInit2(&stream, MAX_WBITS + 16) == Z_OK);
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, &inflateEnd);
  if (from.size() > std::numeric_limits<uInt>::max()) return bomb(Compression::gzip, size_max);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(from.data()));
  stream.avail_in = static_cast<uInt>(from.size());
  std::size_t written = 0;
  for (;;) {
    grow(to, written, size_max);
    const auto room = static_cast<uInt>(std::min<std::size_t>(to.size() - written, std::numeric_limits<uInt>::max()));
    stream.next_out = reinterpret_cast<Bytef*>(to.data() + written);
    stream.avail_out = room;
    const int status = inflate(&stream, Z_NO_FLUSH);
    written += room - stream.avail_out;
    if (written > size_max) return bomb(Compression::gzip, size_max);
    if (status == Z_STREAM_END) break;
    if (status != Z_OK) return broken(Compression::gzip, stream.msg != nullptr ? stream.msg : "it ends too early");
  }
  if (stream.avail_in != 0) return broken(Compression::gzip, "bytes follow its end");
  to.resize(written);
  return {};
}

void snappy_compress(Bytes from, Buffer& to) {
  to.assign(xerial_magic);
  append_be<std::int32_t>(to, 1);  // version
  append_be<std::int32_t>(to, 1);  // lowest compatible version
  Buffer block;
  for (std::size_t at = 0; at < from.size(); at += xerial_block_bytes) {
    const Bytes part = from.substr(at, xerial_block_bytes);
    snappy::Compress(part.data(), part.size(), &block);
    append_be(to, static_cast<std::int32_t>(block.size()));
    to += block;
  }
}

Result<> snappy_block(Bytes from, std::size_t size_max, Buffer& to) {
  std::size_t size = 0;
  if (!snappy::GetUncompressedLength(from.data(), from.size(), &size)) return broken(Compression::snappy, "no length");
  if (size > size_max - to.size()) return bomb(Compression::snappy, size_max);
  // A block can't stand for more than what its own bytes could expand to (at most 64 bytes per 3-byte copy), so a short lie allocates
  // little.
  if (size / 32 > from.size()) return broken(Compression::snappy, "its length is not possible");
  const std::size_t before = to.size();
  to.resize(before + size);
  if (!snappy::RawUncompress(from.data(), from.size(), to.data() + before)) return broken(Compression::snappy, "a block can't be read");
  return {};
}

Result<> snappy_decompress(Bytes from, std::size_t size_max, Buffer& to) {
  to.clear();
  if (!from.starts_with(xerial_magic)) return snappy_block(from, size_max, to);
  if (from.size() < xerial_header_bytes) return broken(Compression::snappy, "its header is cut short");
  for (std::size_t at = xerial_header_bytes; at < from.size();) {
    if (from.size() - at < sizeof(std::int32_t)) return broken(Compression::snappy, "a block's size is cut short");
    const auto size = load_be<std::int32_t>(from.data() + at);
    at += sizeof(std::int32_t);
    if (size < 0 || static_cast<std::size_t>(size) > from.size() - at) return broken(Compression::snappy, "a block is cut short");
    TRIPOS_TRY(snappy_block(from.substr(at, static_cast<std::size_t>(size)), size_max, to));
    at += static_cast<std::size_t>(size);
  }
  return {};
}

void lz4_compress(Bytes from, Buffer& to, int level) {
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;  // Kafka's Java decoder reads no other
  preferences.frameInfo.contentSize = 0;
  preferences.compressionLevel = level;
  to.resize(LZ4F_compressFrameBound(from.size(), &preferences));
  const std::size_t size = LZ4F_compressFrame(to.data(), to.size(), from.data(), from.size(), &preferences);
  CHECK(!LZ4F_isError(size));
  to.resize(size);
}

Result<> lz4_decompress(Bytes from, std::size_t size_max, Buffer& to) {
  LZ4F_dctx* raw = nullptr;
  CHECK(!LZ4F_isError(LZ4F_createDecompressionContext(&raw, LZ4F_VERSION)));
  const std::unique_ptr<LZ4F_dctx, LZ4F_errorCode_t (*)(LZ4F_dctx*)> context(raw, &LZ4F_freeDecompressionContext);
  std::size_t written = 0;
  std::size_t wanted = 1;  // 0 at the end of the frame
  while (wanted != 0) {
    grow(to, written, size_max);
    std::size_t out = to.size() - written;
    std::size_t in = from.size();
    wanted = LZ4F_decompress(context.get(), to.data() + written, &out, from.data(), &in, nullptr);
    if (LZ4F_isError(wanted)) return broken(Compression::lz4, LZ4F_getErrorName(wanted));
    from.remove_prefix(in);
    written += out;
    if (written > size_max) return bomb(Compression::lz4, size_max);
    if (in == 0 && out == 0) return broken(Compression::lz4, "it ends too early");
  }
  if (!from.empty()) return broken(Compression::lz4, "bytes follow its end");
  to.resize(written);
  return {};
}

void zstd_compress(Bytes from, Buffer& to, int level) {
  to.resize(ZSTD_compressBound(from.size()));
  const std::size_t size = ZSTD_compress(to.data(), to.size(), from.data(), from.size(), level == 0 ? ZSTD_CLEVEL_DEFAULT : level);
  CHECK(ZSTD_isError(size) == 0);
  to.resize(size);
}

Result<> zstd_decompress(Bytes from, std::size_t size_max, Buffer& to) {
  const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(), &ZSTD_freeDCtx);
  CHECK(context != nullptr);
  ZSTD_inBuffer in{from.data(), from.size(), 0};
  std::size_t written = 0;
  std::size_t wanted = 1;  // 0 at the end of a frame
  while (wanted != 0 || in.pos < in.size) {
    grow(to, written, size_max);
    ZSTD_outBuffer out{to.data() + written, to.size() - written, 0};
    const std::size_t in_before = in.pos;
    wanted = ZSTD_decompressStream(context.get(), &out, &in);
    if (ZSTD_isError(wanted) != 0) return broken(Compression::zstd, ZSTD_getErrorName(wanted));
    written += out.pos;
    if (written > size_max) return bomb(Compression::zstd, size_max);
    if (wanted != 0 && out.pos == 0 && in.pos == in_before) return broken(Compression::zstd, "it ends too early");
  }
  to.resize(written);
  return {};
}

}  // namespace

std::string_view to_string(Compression codec) noexcept {
  const auto index = static_cast<std::size_t>(codec);
  return index < names.size() ? names[index] : "unknown";
}

Result<Compression> compression_from_name(std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return fail(ErrorCode::invalid_argument, "'{}' is no compression: use none, gzip, snappy, lz4 or zstd", name);
  return static_cast<Compression>(found - names.begin());
}

void compress(Compression codec, Bytes from, Buffer& to, int level) {
  switch (codec) {
    case Compression::none: to.assign(from); return;
    case Compression::gzip: return gzip_compress(from, to, level);
    case Compression::snappy: return snappy_compress(from, to);
    case Compression::lz4: return lz4_compress(from, to, level);
    case Compression::zstd: return zstd_compress(from, to, level);
  }
  CHECK(false);
}

Result<> decompress(Compression codec, Bytes from, std::size_t size_max, Buffer& to) {
  switch (codec) {
    case Compression::none:
      if (from.size() > size_max) return bomb(codec, size_max);
      to.assign(from);
      return {};
    case Compression::gzip: return gzip_decompress(from, size_max, to);
    case Compression::snappy: return snappy_decompress(from, size_max, to);
    case Compression::lz4: return lz4_decompress(from, size_max, to);
    case Compression::zstd: return zstd_decompress(from, size_max, to);
  }
  return fail(ErrorCode::malformed, "{} is no compression codec", static_cast<int>(codec));
}

}  // namespace tripos
