// OffsetCommit: answered when the offsets are durable. Partitions that can't be committed are told so; the others are committed together.
#include <memory>
#include <utility>

#include "broker/api/group_handlers.h"
#include "broker/api/offsets_to_commit.h"

namespace tripos::broker {

namespace {

// Older versions hear of an illegal generation.
constexpr std::int16_t group_not_found_from = 9;

bool is_unknown(RequestContext& context, const std::string& id) {
  return context.broker.groups().find(id) == nullptr && context.broker.groups().check_group(id) == wire::ErrorCode::none;
}

}  // namespace

void handle_offset_commit(RequestContext& context, const wire::OffsetCommitRequest& request, Reply<wire::OffsetCommitResponse> reply) {
  const bool is_allowed = context.allows(Operation::read, ResourceType::group, request.group_id);
  const auto refused = is_allowed ? wire::ErrorCode::none : wire::ErrorCode::group_authorization_failed;
  wire::OffsetCommitResponse response;
  auto offsets = offsets_to_commit(context, request.topics, refused, response);
  if (offsets.empty()) return reply(response);

  if (context.version >= group_not_found_from && request.generation_id_or_member_epoch >= 0 && is_unknown(context, request.group_id)) {
    set_commit_error(response, wire::ErrorCode::group_id_not_found);
    return reply(response);
  }
  groups::Commit event;
  event.member_id = request.member_id;
  event.instance_id = request.group_instance_id;
  event.generation = request.generation_id_or_member_epoch;
  std::optional<std::chrono::milliseconds> retention;
  if (request.retention_time_ms >= 0) retention = std::chrono::milliseconds(request.retention_time_ms);
  const auto committed = [reply, response = std::make_shared<wire::OffsetCommitResponse>(std::move(response))](wire::ErrorCode code) {
    set_commit_error(*response, code);
    reply(*response);
  };
  context.broker.groups().commit(request.group_id, std::move(event), std::move(offsets), retention, committed);
}

}  // namespace tripos::broker
