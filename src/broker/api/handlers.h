// The handlers of the requests around topics and records; those of groups are in group_handlers.h, those of
// transactions in transaction_handlers.h.
#pragma once

#include "broker/api/request.h"
#include "wire/alter_configs.h"
#include "wire/api_versions.h"
#include "wire/create_partitions.h"
#include "wire/create_topics.h"
#include "wire/delete_records.h"
#include "wire/delete_topics.h"
#include "wire/describe_cluster.h"
#include "wire/describe_configs.h"
#include "wire/describe_log_dirs.h"
#include "wire/describe_topic_partitions.h"
#include "wire/fetch.h"
#include "wire/incremental_alter_configs.h"
#include "wire/list_offsets.h"
#include "wire/list_partition_reassignments.h"
#include "wire/metadata.h"
#include "wire/offset_for_leader_epoch.h"
#include "wire/produce.h"

namespace tripos::broker {

void handle_alter_configs(RequestContext& context, const wire::AlterConfigsRequest& request, Reply<wire::AlterConfigsResponse> reply);
void handle_api_versions(RequestContext& context, const wire::ApiVersionsRequest& request, Reply<wire::ApiVersionsResponse> reply);
void handle_create_partitions(RequestContext& context, const wire::CreatePartitionsRequest& request,
                              Reply<wire::CreatePartitionsResponse> reply);
void handle_create_topics(RequestContext& context, const wire::CreateTopicsRequest& request, Reply<wire::CreateTopicsResponse> reply);
void handle_delete_records(RequestContext& context, const wire::DeleteRecordsRequest& request, Reply<wire::DeleteRecordsResponse> reply);
void handle_delete_topics(RequestContext& context, const wire::DeleteTopicsRequest& request, Reply<wire::DeleteTopicsResponse> reply);
void handle_describe_cluster(RequestContext& context, const wire::DescribeClusterRequest& request,
                             Reply<wire::DescribeClusterResponse> reply);
void handle_describe_configs(RequestContext& context, const wire::DescribeConfigsRequest& request,
                             Reply<wire::DescribeConfigsResponse> reply);
void handle_describe_log_dirs(RequestContext& context, const wire::DescribeLogDirsRequest& request,
                              Reply<wire::DescribeLogDirsResponse> reply);
void handle_describe_topic_partitions(RequestContext& context, const wire::DescribeTopicPartitionsRequest& request,
                                      Reply<wire::DescribeTopicPartitionsResponse> reply);
void handle_fetch(RequestContext& context, const wire::FetchRequest& request, Reply<wire::FetchResponse> reply);
void handle_incremental_alter_configs(RequestContext& context, const wire::IncrementalAlterConfigsRequest& request,
                                      Reply<wire::IncrementalAlterConfigsResponse> reply);
void handle_list_offsets(RequestContext& context, const wire::ListOffsetsRequest& request, Reply<wire::ListOffsetsResponse> reply);
void handle_list_partition_reassignments(RequestContext& context, const wire::ListPartitionReassignmentsRequest& request,
                                         Reply<wire::ListPartitionReassignmentsResponse> reply);
void handle_metadata(RequestContext& context, const wire::MetadataRequest& request, Reply<wire::MetadataResponse> reply);
void handle_offset_for_leader_epoch(RequestContext& context, const wire::OffsetForLeaderEpochRequest& request,
                                    Reply<wire::OffsetForLeaderEpochResponse> reply);
void handle_produce(RequestContext& context, const wire::ProduceRequest& request, Reply<wire::ProduceResponse> reply);

// ApiVersions in a version that is not ours: UNSUPPORTED_VERSION in the body of version 0, with all that is ours.
void refuse_api_versions(std::int32_t correlation_id, const Responder& responder);
// Produce, versions 0 to 2 (announced so that librdkafka compresses; records of magic 0 and 1 are refused), and handle_produce().
void serve_produce(RequestContext& context, Bytes body, std::int32_t correlation_id, Responder responder);

}  // namespace tripos::broker
