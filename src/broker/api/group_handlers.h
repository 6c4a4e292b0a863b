// The handlers of the requests around groups and their offsets: each translates between the wire and GroupCoordinator, and checks rights.
#pragma once

#include "broker/api/request.h"
#include "wire/delete_groups.h"
#include "wire/describe_groups.h"
#include "wire/find_coordinator.h"
#include "wire/heartbeat.h"
#include "wire/join_group.h"
#include "wire/leave_group.h"
#include "wire/list_groups.h"
#include "wire/offset_commit.h"
#include "wire/offset_delete.h"
#include "wire/offset_fetch.h"
#include "wire/sync_group.h"

namespace tripos::broker {

void handle_delete_groups(RequestContext& context, const wire::DeleteGroupsRequest& request, Reply<wire::DeleteGroupsResponse> reply);
void handle_describe_groups(RequestContext& context, const wire::DescribeGroupsRequest& request, Reply<wire::DescribeGroupsResponse> reply);
void handle_find_coordinator(RequestContext& context, const wire::FindCoordinatorRequest& request,
                             Reply<wire::FindCoordinatorResponse> reply);
void handle_heartbeat(RequestContext& context, const wire::HeartbeatRequest& request, Reply<wire::HeartbeatResponse> reply);
void handle_join_group(RequestContext& context, const wire::JoinGroupRequest& request, Reply<wire::JoinGroupResponse> reply);
void handle_leave_group(RequestContext& context, const wire::LeaveGroupRequest& request, Reply<wire::LeaveGroupResponse> reply);
void handle_list_groups(RequestContext& context, const wire::ListGroupsRequest& request, Reply<wire::ListGroupsResponse> reply);
void handle_offset_commit(RequestContext& context, const wire::OffsetCommitRequest& request, Reply<wire::OffsetCommitResponse> reply);
void handle_offset_delete(RequestContext& context, const wire::OffsetDeleteRequest& request, Reply<wire::OffsetDeleteResponse> reply);
void handle_offset_fetch(RequestContext& context, const wire::OffsetFetchRequest& request, Reply<wire::OffsetFetchResponse> reply);
void handle_sync_group(RequestContext& context, const wire::SyncGroupRequest& request, Reply<wire::SyncGroupResponse> reply);

}  // namespace tripos::broker
