// What requests about configurations (DescribeConfigs, AlterConfigs, IncrementalAlterConfigs) have in common: the resources that have one.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "broker/api/pending_reply.h"
#include "broker/api/request.h"
#include "broker/topics.h"

namespace tripos::broker {

// Kafka's numbers (ConfigResource.Type).
inline constexpr std::int8_t topic_resource = 2;
inline constexpr std::int8_t broker_resource = 4;

// A topic's, a broker's, or what all brokers have by default; one that exists and that the session may use so.
struct ConfigResource {
  Topic* topic = nullptr;  // nullptr: the broker's
  DynamicScope scope = DynamicScope::this_broker;
};
// The refusal is Kafka's.
[[nodiscard]] Outcome<ConfigResource> find_config_resource(RequestContext& context, std::int8_t type, const std::string& name,
                                                           Operation operation);

// IncrementalAlterConfigs' numbers (AlterConfigOp.OpType, KIP-339).
enum class ConfigOperation : std::int8_t { set = 0, remove = 1, append = 2, subtract = 3 };

struct ConfigEdit {
  std::string name;
  std::optional<std::string> value;
  ConfigOperation operation = ConfigOperation::set;
};

// The values with all edits applied. INVALID_REQUEST: a key twice, a missing value, no such operation; INVALID_CONFIG: append or
// subtract of what is no list.
[[nodiscard]] Outcome<ConfigValues> edited(std::span<const ConfigKey> keys, ConfigValues values, const std::vector<ConfigEdit>& edits);

// Changes the resource's configuration to what `change` makes of its values, or only checks that it could. `done` runs then, or later.
void change_config(RequestContext& context, const ConfigResource& resource, Broker::ConfigChange change, bool validate_only,
                   std::function<void(const Outcome<>&)> done);

// AlterConfigs and IncrementalAlterConfigs: every resource by itself. `keep_others`: values that are not named stay as they are.
template <typename Request, typename Response, typename EditOf>
void alter_resources(RequestContext& context, const Request& request, Reply<Response> reply, bool keep_others, EditOf edit_of) {
  const auto answer = pending_reply(std::move(reply));
  auto& responses = answer->response.responses;
  responses.resize(request.resources.size());
  std::map<std::pair<std::int8_t, std::string_view>, int> times;
  for (const auto& asked : request.resources) ++times[{asked.resource_type, asked.resource_name}];
  for (std::size_t i = 0; i < request.resources.size(); ++i) {
    const auto& asked = request.resources[i];
    responses[i].resource_type = asked.resource_type;
    responses[i].resource_name = asked.resource_name;
    if (times[{asked.resource_type, asked.resource_name}] > 1) {
      refuse_result(responses[i], {.code = wire::ErrorCode::invalid_request, .message = "Each resource must appear at most once."});
      continue;
    }
    const auto resource = find_config_resource(context, asked.resource_type, asked.resource_name, Operation::alter_configs);
    if (!resource) {
      refuse_result(responses[i], resource.error());
      continue;
    }
    std::vector<ConfigEdit> edits;
    for (const auto& config : asked.configs) edits.push_back(edit_of(config));
    Broker::ConfigChange change = [edits = std::move(edits), keep_others, keys = resource->topic != nullptr ? topic_keys() : broker_keys()](
                                      const ConfigValues& values) { return edited(keys, keep_others ? values : ConfigValues(), edits); };
    answer->begin();
    change_config(context, *resource, std::move(change), request.validate_only, [answer, i](const Outcome<>& changed) {
      if (!changed) refuse_result(answer->response.responses[i], changed.error());
      answer->finish();
    });
  }
  answer->finish();
}

}  // namespace tripos::broker
