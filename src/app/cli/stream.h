// StreamPointer: a stdio stream that is closed with its owner. What must know whether closing succeeds releases it and calls fclose itself.
#pragma once

#include <cstdio>
#include <memory>

namespace tripos::app {

struct StreamCloser {
  void operator()(std::FILE* stream) const noexcept { std::fclose(stream); }
};
using StreamPointer = std::unique_ptr<std::FILE, StreamCloser>;

}  // namespace tripos::app
