#include "load/load_service.h"

#include <algorithm>
#include <utility>

namespace tripos::load {

Result<std::shared_ptr<LoadSession>> LoadService::begin(LoadRequest request, const LoadIndex::Progress& progress) {
  const auto topics = source_.topics();
  const auto topic = std::find_if(topics.begin(), topics.end(), [&](const auto& known) { return known.name == request.topic; });
  if (topic == topics.end()) return fail(ErrorCode::not_found, "there is no topic {}", request.topic);
  if (topic->internal) return fail(ErrorCode::invalid_argument, "topic {} is the broker's own: nothing is loaded into it", request.topic);
  if (topic->compacted) {
    return fail(ErrorCode::invalid_argument,
                "topic {} is compacted (cleanup.policy): its records need keys, which elements of files do not have; "
                "tripos produce --key-delimiter sends them",
                request.topic);
  }
  if (request.partition && (request.partition->value() < 0 || request.partition->value() >= topic->partition_count)) {
    return fail(ErrorCode::invalid_argument, "topic {} has the partitions 0 to {}, not {}", topic->name, topic->partition_count - 1,
                *request.partition);
  }
  TRIPOS_ASSIGN(auto claim, claims_->claim(topic->id, topic->name));
  TRIPOS_ASSIGN(auto index, LoadIndex::open(files_, load_directory(topic->id), request.identity, options_));
  std::string directory = fmt::format("{}/session-{}", index->directory(), ++session_number_);
  LoadSession::Parts parts{.source = source_,
                           .sink = sink_,
                           .files = files_,
                           .directory = std::move(directory),
                           .claim = std::move(claim),
                           .index = std::move(index)};
  auto session = std::make_shared<LoadSession>(std::move(parts), *topic, std::move(request));
  TRIPOS_TRY(session->begin(progress));
  return session;
}

std::string LoadService::load_directory(const TopicId& topic) const { return topics_directory_ + "/" + topic.text() + "/load"; }

Result<> LoadService::count_before_trim(const TopicDescription& topic) {
  const std::string directory = load_directory(topic.id);
  const auto entries = files_.list(directory);
  if (!entries && entries.error().code == ErrorCode::not_found) return {};  // nothing was ever loaded
  if (!entries) return tl::unexpected(entries.error());
  TRIPOS_ASSIGN(const auto claim, claims_->claim(topic.id, topic.name));
  TRIPOS_ASSIGN(const EnteredClaim entered, EnteredClaim::enter(claim));
  LoadIndexOptions options = options_;
  options.kept_from_bytes = 1;
  for (const io::DirectoryEntry& entry : *entries) {
    if (!entry.directory) continue;
    TRIPOS_ASSIGN(auto identity, LoadIndex::kept_identity(files_, directory + "/" + entry.name));
    if (!identity) continue;
    TRIPOS_ASSIGN(const auto index, LoadIndex::open(files_, directory, std::move(*identity), options));
    TRIPOS_TRY(catch_up_with_log(*index, topic, source_, [](std::uint64_t, std::uint64_t) { return Result<>(); }));
  }
  return {};
}

}  // namespace tripos::load
