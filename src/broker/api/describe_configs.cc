// DescribeConfigs of topics and of this broker, from the tables of keys.
#include <algorithm>
#include <utility>

#include "broker/api/config_resource.h"
#include "broker/api/handlers.h"
#include "broker/topics.h"

namespace tripos::broker {

namespace {

using ResourceResult = wire::DescribeConfigsResponse::DescribeConfigsResult;
using ConfigResult = wire::DescribeConfigsResponse::DescribeConfigsResourceResult;

ConfigResult describe_config(const ConfigKey& key, const std::vector<ConfigOrigin>& origins, bool read_only,
                             const wire::DescribeConfigsRequest& request) {
  ConfigResult described;
  described.name = std::string(key.name);
  described.read_only = read_only;
  described.config_source = static_cast<std::int8_t>(ConfigSource::default_value);
  described.config_type = static_cast<std::int8_t>(key.type);
  if (!origins.empty()) {
    described.value = origins.front().value;
    described.config_source = static_cast<std::int8_t>(origins.front().source);
  }
  if (request.include_synonyms) {
    for (const ConfigOrigin& origin : origins) {
      auto& synonym = described.synonyms.emplace_back();
      synonym.name = origin.name;
      synonym.value = origin.value;
      synonym.source = static_cast<std::int8_t>(origin.source);
    }
  }
  described.documentation.reset();  // null: not asked for
  if (request.include_documentation) described.documentation = std::string(key.documentation);
  return described;
}

bool is_wanted(const wire::DescribeConfigsRequest::DescribeConfigsResource& resource, const ConfigKey& key) {
  // No list, or none in it: all of them.
  return !resource.configuration_keys || resource.configuration_keys->empty() ||
         std::ranges::find(*resource.configuration_keys, key.name) != resource.configuration_keys->end();
}

void describe_resource(const Broker& broker, const wire::DescribeConfigsRequest& request,
                       const wire::DescribeConfigsRequest::DescribeConfigsResource& asked, const ConfigResource& resource,
                       ResourceResult& result) {
  const BrokerConfig& config = broker.config();
  if (resource.topic != nullptr) {
    for (const ConfigKey& key : topic_keys()) {
      if (!is_wanted(asked, key)) continue;
      result.configs.push_back(describe_config(key, topic_config_origins(config, resource.topic->record.config, key), false, request));
    }
    return;
  }
  for (const ConfigKey& key : broker_keys()) {
    if (!is_wanted(asked, key)) continue;
    std::vector<ConfigOrigin> origins = broker_config_origins(config, key);
    if (resource.scope == DynamicScope::all_brokers) {
      // What holds for all brokers alone: only what was changed for them.
      std::erase_if(origins, [](const ConfigOrigin& origin) { return origin.source != ConfigSource::dynamic_default_broker; });
      if (origins.empty()) continue;
    }
    result.configs.push_back(describe_config(key, origins, !is_dynamic(key), request));
  }
}

}  // namespace

void handle_describe_configs(RequestContext& context, const wire::DescribeConfigsRequest& request,
                             Reply<wire::DescribeConfigsResponse> reply) {
  wire::DescribeConfigsResponse response;
  for (const auto& resource : request.resources) {
    ResourceResult& result = response.results.emplace_back();
    result.resource_type = resource.resource_type;
    result.resource_name = resource.resource_name;
    const auto found = find_config_resource(context, resource.resource_type, resource.resource_name, Operation::describe_configs);
    if (found) {
      result.error_message = "";  // as Kafka, whose clients may show it
      describe_resource(context.broker, request, resource, *found, result);
    } else {
      refuse_result(result, found.error());
    }
  }
  reply(response);
}

}  // namespace tripos::broker
