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
  const std::string directory = topics_directory_ + "/" + topic->id.text() + "/load";
  TRIPOS_ASSIGN(auto index, LoadIndex::open(files_, directory, request.identity, options_));
  LoadSession::Parts parts{.source = source_,
                           .sink = sink_,
                           .files = files_,
                           .directory = fmt::format("{}/session-{}", index->directory(), ++session_number_),
                           .claim = std::move(claim),
                           .index = std::move(index)};
  auto session = std::make_shared<LoadSession>(std::move(parts), *topic, std::move(request));
  TRIPOS_TRY(session->begin(progress));
  return session;
}

}  // namespace tripos::load
