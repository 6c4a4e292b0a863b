// LocalStore: a Store on the local disk. create() goes by link(2), which fails if the name is taken (rules, 3.1).
#pragma once

#include "io/file_system.h"
#include "store/store.h"

namespace tripos::store {

class LocalStore : public Store {
 public:
  // Names that start so are of files that are being written; a start may remove them.
  static constexpr std::string_view staging_prefix = "tmp-";

  explicit LocalStore(io::FileSystem& files) : files_(files) {}

  [[nodiscard]] Result<std::vector<std::string>> list(const std::string& directory) override;
  [[nodiscard]] Result<> make_directory(const std::string& directory) override;
  [[nodiscard]] Result<Buffer> read(const std::string& path, std::size_t size_max) override;
  [[nodiscard]] Result<std::uint64_t> size(const std::string& path) override;
  [[nodiscard]] Result<std::uint32_t> checksum(const std::string& path) override;
  [[nodiscard]] Result<> publish(std::span<const Publication> files) override;
  [[nodiscard]] Result<> create(const std::string& path, Bytes contents) override;
  [[nodiscard]] Result<> remove(const std::string& path) override;

 protected:
  // Each is a step of rule 3.2, overridden by the tests that leave one out.
  [[nodiscard]] virtual Result<> sync_file(const std::string& path);
  [[nodiscard]] virtual Result<> sync_directory(const std::string& directory);

 private:
  io::FileSystem& files_;
};

}  // namespace tripos::store
