// JsonInput: a file or a stream of JSON (an array, NDJSON, any mixture) as its elements, minified, each one valid JSON (json/split.h).
// Memory is one block and one element. Owns its descriptor. Threads: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "base/bytes.h"
#include "base/error.h"

namespace tripos::load {

class JsonInput {
 public:
  using Sink = std::function<Result<>(Bytes element)>;
  using Progress = std::function<void(std::uint64_t bytes_read)>;

  // "-" is standard input. The name is for messages, too.
  [[nodiscard]] static Result<JsonInput> open(const std::string& path);

  JsonInput(JsonInput&& other) noexcept;
  JsonInput& operator=(JsonInput&&) = delete;
  ~JsonInput();

  // 0 where it is not known (a pipe).
  [[nodiscard]] std::uint64_t size_bytes() const noexcept { return size_bytes_; }
  // Gives every element to the sink; `progress` after each block.
  [[nodiscard]] Result<> read_elements(const Sink& sink, const Progress& progress);

 private:
  JsonInput(int descriptor, std::string path, std::uint64_t size_bytes)
      : descriptor_(descriptor), path_(std::move(path)), size_bytes_(size_bytes) {}

  int descriptor_;
  std::string path_;
  std::uint64_t size_bytes_;
};

}  // namespace tripos::load
