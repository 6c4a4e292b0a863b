#include "app/server/offline_directory.h"

#include <algorithm>
#include <map>
#include <utility>

#include "broker/metadata_record.h"
#include "broker/produced_batch.h"
#include "broker/producer_snapshot.h"
#include "lambda/file_checks.h"
#include "lambda/manifest_store.h"
#include "log/paths.h"
#include "store/local_store.h"

namespace tripos::app {
namespace {

using log::Finding;

constexpr std::size_t snapshot_bytes_max = std::size_t{1} << 30;
constexpr const char* metadata_name = "(metadata)";

Result<std::vector<io::DirectoryEntry>> list_or_nothing(io::FileSystem& files, const std::string& directory) {
  auto entries = files.list(directory);
  if (!entries && entries.error().code == ErrorCode::not_found) return std::vector<io::DirectoryEntry>();
  return entries;
}

std::vector<std::string> segments_of(const std::vector<io::DirectoryEntry>& entries, const std::string& directory) {
  std::vector<std::string> paths;
  for (const io::DirectoryEntry& entry : entries) {
    if (log::segment_base_offset(entry.name)) paths.push_back(directory + "/" + entry.name);
  }
  return paths;
}

}  // namespace

Result<std::vector<std::pair<TopicId, std::string>>> OfflineDirectory::names() const {
  const std::string directory = log::metadata_directory(data_);
  auto entries = files_.list(directory);
  if (!entries) {
    if (entries.error().code != ErrorCode::not_found) return tl::unexpected(std::move(entries).error());
    return fail(ErrorCode::not_found, "{} is no data directory of tripos: it has no meta/; --data DIR names one", data_);
  }
  std::map<TopicId, std::string> known;
  RecordReader reader(broker::decompressed_size_max);
  for (const std::string& path : segments_of(*entries, directory)) {
    TRIPOS_ASSIGN(const auto file, files_.open(path, io::OpenMode::read));
    const auto walked = log::for_each_batch_of(*file, [&](const RecordBatchView& batch, std::uint64_t) -> Result<> {
      TRIPOS_TRY(reader.start(batch));
      while (true) {
        TRIPOS_ASSIGN(const Record* entry, reader.next());
        if (entry == nullptr) return {};
        TRIPOS_ASSIGN(const auto record, broker::decode_metadata(entry->key.value_or(Bytes()), entry->value));
        if (const auto* topic = std::get_if<broker::TopicRecord>(&record)) known[topic->id] = topic->name;
        if (const auto* deleted = std::get_if<broker::TopicDeleted>(&record)) known.erase(deleted->id);
      }
    });
    if (!walked && walked.error().code != ErrorCode::corrupt) return tl::unexpected(walked.error());
    if (!walked) break;  // a torn tail, or damage that verify() tells
  }
  return std::vector<std::pair<TopicId, std::string>>(known.begin(), known.end());
}

Result<OfflineTopic> OfflineDirectory::topic(const TopicId& id, std::string name) const {
  OfflineTopic found{.name = std::move(name), .id = id, .partitions = {}};
  TRIPOS_ASSIGN(const auto entries, list_or_nothing(files_, log::topic_directory(data_, id)));
  std::map<std::int32_t, std::string> partitions;
  for (const io::DirectoryEntry& entry : entries) {
    const auto partition = entry.directory ? log::partition_from_name(entry.name) : std::nullopt;
    if (partition) partitions[partition->value()] = log::partition_directory(data_, {.topic = id, .partition = *partition});
  }
  for (auto& [number, directory] : partitions)
    found.partitions.push_back({.text = std::to_string(number), .directory = std::move(directory)});
  return found;
}

Result<std::vector<OfflineTopic>> OfflineDirectory::topics() const {
  TRIPOS_ASSIGN(const auto known, names());
  std::vector<OfflineTopic> found;
  for (const auto& [id, name] : known) {
    TRIPOS_ASSIGN(auto each, topic(id, name));
    found.push_back(std::move(each));
  }
  std::ranges::sort(found, {}, &OfflineTopic::name);
  found.insert(found.begin(),
               OfflineTopic{.name = metadata_name, .id = {}, .partitions = {{.text = "", .directory = log::metadata_directory(data_)}}});
  return found;
}

Result<log::PartitionVerdict> OfflineDirectory::verify(const OfflinePartition& partition) const {
  TRIPOS_ASSIGN(log::PartitionVerdict verdict, log::verify_partition(files_, partition.directory, broker::decompressed_size_max));
  TRIPOS_ASSIGN(const auto entries, files_.list(partition.directory));
  for (const io::DirectoryEntry& entry : entries) {
    if (!log::producer_snapshot_offset(entry.name)) continue;
    const std::string path = partition.directory + "/" + entry.name;
    auto bytes = io::read_file(files_, path, snapshot_bytes_max);
    if (!bytes && bytes.error().code == ErrorCode::not_found) continue;  // replaced meanwhile
    auto wrong = bytes ? std::string() : bytes.error().message;
    if (bytes) {
      const auto snapshot = broker::decode_producer_snapshot(*bytes, path);
      if (!snapshot) wrong = snapshot.error().message;
    }
    // The log says the same, only later.
    if (!wrong.empty()) verdict.findings.push_back({.kind = Finding::Kind::warning, .path = path, .position = 0, .what = wrong});
  }
  return verdict;
}

Result<std::vector<Finding>> OfflineDirectory::journal() const {
  const std::string path = log::journal_path(data_);
  TRIPOS_ASSIGN(const bool exists, files_.exists(path));
  if (!exists) return std::vector<Finding>();
  return std::vector<Finding>{{.kind = Finding::Kind::note,
                               .path = path,
                               .what = "a server is at work, or ended without a clean stop: after a power cut the last bytes of logs may "
                                       "stand here alone, and the next start writes them to their place"}};
}

std::vector<Finding> OfflineDirectory::verify_table(const OfflineTopic& topic) const {
  std::vector<Finding> findings;
  if (topic.id.is_zero()) return findings;
  store::LocalStore store(files_);
  const lambda::ManifestStore manifests(store, log::topics_directory(data_));
  const auto tell = [&findings](const std::string& path, std::string what) {
    findings.push_back({.kind = Finding::Kind::damage, .path = path, .position = 0, .what = std::move(what)});
  };
  const auto manifest = manifests.load(topic.id);
  if (!manifest) {
    tell(manifests.table_directory(topic.id), manifest.error().message);
    return findings;
  }
  for (const lambda::ManifestFile& file : manifest->files) {
    std::string wrong = lambda::FileChecks::wrong_with(manifests, topic.id, file);
    if (!wrong.empty()) tell(manifests.path(topic.id, file.name), std::move(wrong));
  }
  return findings;
}

Result<std::vector<std::string>> OfflineDirectory::segments(std::string_view target) const {
  const std::size_t colon = target.rfind(':');
  const std::string name(target.substr(0, colon));
  const std::string_view number = colon == std::string_view::npos ? std::string_view("0") : target.substr(colon + 1);
  TRIPOS_ASSIGN(const auto all, topics());
  const auto found = std::ranges::find(all, name, &OfflineTopic::name);
  if (found == all.end()) return fail(ErrorCode::not_found, "there is no topic {} in {}", name, data_);
  const auto partition = std::ranges::find(found->partitions, number, &OfflinePartition::text);
  if (partition == found->partitions.end()) {
    return fail(ErrorCode::not_found, "partition {} of topic {} has no files: TOPIC:PARTITION names one that has", number, name);
  }
  TRIPOS_ASSIGN(const auto entries, files_.list(partition->directory));
  return segments_of(entries, partition->directory);
}

}  // namespace tripos::app
