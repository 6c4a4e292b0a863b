// ListPartitionReassignments: none is ever under way, since there is one broker.
#include "broker/api/handlers.h"

namespace tripos::broker {

void handle_list_partition_reassignments(RequestContext& /*context*/, const wire::ListPartitionReassignmentsRequest& /*request*/,
                                         Reply<wire::ListPartitionReassignmentsResponse> reply) {
  reply({});
}

}  // namespace tripos::broker
