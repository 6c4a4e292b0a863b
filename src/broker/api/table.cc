#include "broker/api/table.h"

#include <algorithm>
#include <array>

#include "broker/api/group_handlers.h"
#include "broker/api/handlers.h"
#include "broker/api/serve.h"
#include "broker/api/transaction_handlers.h"

namespace tripos::broker {

namespace {

using wire::ApiKey;

// By key. Ranges start where clients look for them: librdkafka compresses only if Produce 0 is there, writes magic 2 only if Fetch 4 is,
// and tests for version 0 of InitProducerId and of the requests of groups.
constexpr std::array table{
    ApiRow{ApiKey::produce, {.min = 0, .max = 11}, &serve_produce},
    ApiRow{ApiKey::fetch, {.min = 4, .max = 17}, &serve<&handle_fetch>},
    ApiRow{ApiKey::list_offsets, {.min = 1, .max = 9}, &serve<&handle_list_offsets>},
    ApiRow{ApiKey::metadata, {.min = 0, .max = 13}, &serve<&handle_metadata>},
    ApiRow{ApiKey::offset_commit, {.min = 2, .max = 9}, &serve<&handle_offset_commit>},
    ApiRow{ApiKey::offset_fetch, {.min = 1, .max = 9}, &serve<&handle_offset_fetch>},
    ApiRow{ApiKey::find_coordinator, {.min = 0, .max = 5}, &serve<&handle_find_coordinator>},
    ApiRow{ApiKey::join_group, {.min = 0, .max = 9}, &serve<&handle_join_group>},
    ApiRow{ApiKey::heartbeat, {.min = 0, .max = 4}, &serve<&handle_heartbeat>},
    ApiRow{ApiKey::leave_group, {.min = 0, .max = 5}, &serve<&handle_leave_group>},
    ApiRow{ApiKey::sync_group, {.min = 0, .max = 5}, &serve<&handle_sync_group>},
    ApiRow{ApiKey::describe_groups, {.min = 0, .max = 6}, &serve<&handle_describe_groups>},
    ApiRow{ApiKey::list_groups, {.min = 0, .max = 5}, &serve<&handle_list_groups>},
    ApiRow{ApiKey::api_versions, {.min = 0, .max = 4}, &serve<&handle_api_versions>},
    ApiRow{ApiKey::create_topics, {.min = 2, .max = 7}, &serve<&handle_create_topics>},
    ApiRow{ApiKey::delete_topics, {.min = 1, .max = 6}, &serve<&handle_delete_topics>},
    ApiRow{ApiKey::delete_records, {.min = 0, .max = 2}, &serve<&handle_delete_records>},
    ApiRow{ApiKey::init_producer_id, {.min = 0, .max = 4}, &serve<&handle_init_producer_id>},
    ApiRow{ApiKey::offset_for_leader_epoch, {.min = 2, .max = 4}, &serve<&handle_offset_for_leader_epoch>},
    ApiRow{ApiKey::add_partitions_to_txn, {.min = 0, .max = 3}, &serve<&handle_add_partitions_to_txn>},
    ApiRow{ApiKey::add_offsets_to_txn, {.min = 0, .max = 3}, &serve<&handle_add_offsets_to_txn>},
    ApiRow{ApiKey::end_txn, {.min = 0, .max = 3}, &serve<&handle_end_txn>},
    ApiRow{ApiKey::txn_offset_commit, {.min = 0, .max = 3}, &serve<&handle_txn_offset_commit>},
    ApiRow{ApiKey::describe_configs, {.min = 1, .max = 4}, &serve<&handle_describe_configs>},
    ApiRow{ApiKey::alter_configs, {.min = 0, .max = 2}, &serve<&handle_alter_configs>},
    ApiRow{ApiKey::describe_log_dirs, {.min = 1, .max = 4}, &serve<&handle_describe_log_dirs>},
    ApiRow{ApiKey::create_partitions, {.min = 0, .max = 3}, &serve<&handle_create_partitions>},
    ApiRow{ApiKey::delete_groups, {.min = 0, .max = 2}, &serve<&handle_delete_groups>},
    ApiRow{ApiKey::incremental_alter_configs, {.min = 0, .max = 1}, &serve<&handle_incremental_alter_configs>},
    ApiRow{ApiKey::list_partition_reassignments, {.min = 0, .max = 0}, &serve<&handle_list_partition_reassignments>},
    ApiRow{ApiKey::offset_delete, {.min = 0, .max = 0}, &serve<&handle_offset_delete>},
    ApiRow{ApiKey::describe_cluster, {.min = 0, .max = 2}, &serve<&handle_describe_cluster>},
    ApiRow{ApiKey::describe_producers, {.min = 0, .max = 0}, &serve<&handle_describe_producers>},
    ApiRow{ApiKey::describe_transactions, {.min = 0, .max = 0}, &serve<&handle_describe_transactions>},
    ApiRow{ApiKey::list_transactions, {.min = 0, .max = 1}, &serve<&handle_list_transactions>},
    ApiRow{ApiKey::describe_topic_partitions, {.min = 0, .max = 0}, &serve<&handle_describe_topic_partitions>},
};

static_assert(std::ranges::is_sorted(table, {}, &ApiRow::key));

}  // namespace

std::span<const ApiRow> api_table() noexcept { return table; }

const ApiRow* find_api(ApiKey key) noexcept {
  const auto found = std::ranges::lower_bound(table, key, {}, &ApiRow::key);
  return found != table.end() && found->key == key ? &*found : nullptr;
}

}  // namespace tripos::broker
