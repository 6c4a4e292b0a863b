// The five codecs of a record batch (attributes, bits 0-2).
// gzip: RFC 1952. snappy: the xerial framing that Java clients write, and plain blocks. lz4: the LZ4 frame format. zstd: RFC 8878.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

namespace tripos {

enum class Compression : std::uint8_t { none = 0, gzip = 1, snappy = 2, lz4 = 3, zstd = 4 };

[[nodiscard]] std::string_view to_string(Compression codec) noexcept;  // Kafka's names: "none", "gzip" …
[[nodiscard]] Result<Compression> compression_from_name(std::string_view name);

// Replaces `to`. `level`: the codec's own scale; 0 is its default.
void compress(Compression codec, Bytes from, Buffer& to, int level = 0);

// Replaces `to`. More than `size_max` bytes: too_large, before they are allocated; broken input: malformed.
[[nodiscard]] Result<> decompress(Compression codec, Bytes from, std::size_t size_max, Buffer& to);

}  // namespace tripos
