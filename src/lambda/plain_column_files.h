// PlainColumnFiles: column files for simulations, through io::FileSystem, so that every byte of them can be lost, torn or refused.
// Format: for each row its offset and its value's length (64 bits each, big-endian), then the value as it was in the log.
// Threads: as the file system.
#pragma once

#include "io/file_system.h"
#include "lambda/column_files.h"

namespace tripos::lambda {

struct PlainRow {
  Offset offset;
  Buffer value;
  friend auto operator<=>(const PlainRow&, const PlainRow&) = default;
};

class PlainColumnFiles final : public ColumnFiles {
 public:
  explicit PlainColumnFiles(io::FileSystem& files) : files_(files) {}

  [[nodiscard]] Result<std::vector<WrittenColumnFile>> write(std::span<const ColumnFileOrder> orders) override;
  [[nodiscard]] std::size_t parallel() const noexcept override { return 2; }

  // corrupt: the file is not whole.
  [[nodiscard]] Result<std::vector<PlainRow>> read(const std::string& path) const;

 private:
  [[nodiscard]] Result<WrittenColumnFile> write_one(const ColumnFileOrder& order) const;

  io::FileSystem& files_;
};

}  // namespace tripos::lambda
