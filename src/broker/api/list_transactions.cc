// ListTransactions: all transactional ids, or those in given states, of given producers, with a transaction of a given age (KIP-664,
// KIP-994). Version 2 (a pattern of ids, KIP-1152) is not announced: a regular expression of a stranger is not to run on the loop.
#include <algorithm>
#include <array>

#include "broker/api/transaction_handlers.h"
#include "broker/transaction/transaction_coordinator.h"

namespace tripos::broker {

namespace {

using transactions::State;

constexpr std::array known_states = {
    State::empty, State::ongoing, State::prepare_commit, State::prepare_abort, State::complete_commit, State::complete_abort, State::dead};

bool is_state(std::string_view name) {
  return std::ranges::any_of(known_states, [name](State state) { return to_string(state) == name; });
}

// An empty filter lets everything through.
template <typename Values, typename Value>
bool passes(const Values& filter, const Value& value) {
  return filter.empty() || std::ranges::find(filter, value) != filter.end();
}

}  // namespace

void handle_list_transactions(RequestContext& context, const wire::ListTransactionsRequest& request,
                              Reply<wire::ListTransactionsResponse> reply) {
  wire::ListTransactionsResponse response;
  response.error_code = context.broker.transactions().check_all();
  for (const std::string& state : request.state_filters) {
    if (!is_state(state)) response.unknown_state_filters.push_back(state);
  }
  const std::int64_t now_ms = context.broker.environment().clock.wall().time_since_epoch().count();
  context.broker.transactions().for_each([&](const std::string& id, const transactions::Transaction& transaction) {
    const transactions::TransactionMetadata& metadata = transaction.metadata();
    const std::string_view state = to_string(metadata.state);
    if (!passes(request.state_filters, state) || !passes(request.producer_id_filters, metadata.producer_id.value())) return;
    const bool has_begun = metadata.start_timestamp_ms >= 0;
    if (request.duration_filter >= 0 && (!has_begun || now_ms - metadata.start_timestamp_ms <= request.duration_filter)) return;
    if (!context.allows(Operation::describe, ResourceType::transactional_id, id)) return;
    auto& listed = response.transaction_states.emplace_back();
    listed.transactional_id = id;
    listed.producer_id = metadata.producer_id.value();
    listed.transaction_state = state;
  });
  reply(response);
}

}  // namespace tripos::broker
