#include "lambda/manifest_store.h"

#include <set>

namespace tripos::lambda {

namespace {
constexpr std::size_t manifest_size_max = std::size_t{256} << 20;
constexpr std::uint64_t manifests_kept = 10;
constexpr std::string_view staging_prefix = "tmp-";
}  // namespace

std::string ManifestStore::table_directory(const TopicId& topic) const {
  return fmt::format("{}/{}/table", topics_directory_, topic.text());
}

std::string ManifestStore::path(const TopicId& topic, const std::string& file_name) const {
  return fmt::format("{}/{}", table_directory(topic), file_name);
}

std::string ManifestStore::staging_path(const TopicId& topic, std::string_view file_name) const {
  return fmt::format("{}/{}{}", table_directory(topic), staging_prefix, file_name);
}

Result<Manifest> ManifestStore::load(const TopicId& topic) const {
  TRIPOS_ASSIGN(const auto names, store_.list(table_directory(topic)));
  std::uint64_t highest = 0;
  for (const std::string& name : names) highest = std::max(highest, manifest_version(name).value_or(0));
  if (highest == 0) {
    Manifest none;
    none.topic_id = topic;
    return none;
  }
  const std::string where = path(topic, manifest_name(highest));
  TRIPOS_ASSIGN(const Buffer text, store_.read(where, manifest_size_max));
  TRIPOS_ASSIGN(Manifest manifest, Manifest::parse(text, where));
  if (manifest.version != highest || manifest.topic_id != topic) {
    return fail(ErrorCode::corrupt, "{}: holds version {} of topic id {}", where, manifest.version, manifest.topic_id.text());
  }
  return manifest;
}

Result<> ManifestStore::commit(const Manifest& next, std::span<const store::Publication> files) const {
  TRIPOS_TRY(store_.publish(files));
  auto created = store_.create(path(next.topic_id, manifest_name(next.version)), next.text());
  if (!created && created.error().code == ErrorCode::already_exists) {
    return fail(ErrorCode::conflict, "somebody else has made manifest {} of topic {}", next.version, next.topic);
  }
  return created;
}

Result<> ManifestStore::remove_orphans(const Manifest& current) const {
  const std::string directory = table_directory(current.topic_id);
  TRIPOS_ASSIGN(const auto names, store_.list(directory));
  std::set<std::string> named;
  for (const ManifestFile& file : current.files) named.insert(file.name);
  for (const std::string& name : names) {
    const auto version = manifest_version(name);
    const bool ours = version || name.ends_with(".parquet") || name.starts_with(staging_prefix);
    const bool counts = version ? *version + manifests_kept > current.version : named.contains(name);
    if (ours && !counts) TRIPOS_TRY(store_.remove(fmt::format("{}/{}", directory, name)));
  }
  return {};
}

Offset OffsetFloors::floor(const TopicPartition& partition) {
  auto found = loaded_.find(partition.topic);
  if (found == loaded_.end()) {
    auto manifest = manifests_.load(partition.topic);
    if (!manifest) damaged_(manifest.error());
    found = loaded_.emplace(partition.topic, manifest ? std::move(*manifest) : Manifest()).first;
  }
  return found->second.end_of(partition.partition);
}

}  // namespace tripos::lambda
