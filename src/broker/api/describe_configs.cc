// DescribeConfigs of topics and of this broker, from the tables of keys.
#include <algorithm>
#include <utility>

#include "broker/api/handlers.h"
#include "broker/topics.h"

namespace tripos::broker {

namespace {

using Request = wire::DescribeConfigsRequest;
using Result = wire::DescribeConfigsResponse::DescribeConfigsResult;
using ConfigResult = wire::DescribeConfigsResponse::DescribeConfigsResourceResult;

constexpr std::int8_t topic_resource = 2;
constexpr std::int8_t broker_resource = 4;

ConfigResult describe(const ConfigKey& key, const std::vector<ConfigOrigin>& origins, bool read_only, const Request& request) {
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
  if (request.include_documentation) described.documentation = std::string(key.documentation);
  return described;
}

bool is_wanted(const Request::DescribeConfigsResource& resource, const ConfigKey& key) {
  return !resource.configuration_keys || std::ranges::find(*resource.configuration_keys, key.name) != resource.configuration_keys->end();
}

void refuse_resource(Result& result, wire::ErrorCode code, std::string message) {
  result.error_code = code;
  result.error_message = std::move(message);
}

void describe_topic(RequestContext& context, const Request& request, const Request::DescribeConfigsResource& resource, Result& result) {
  if (!context.allows(Operation::describe_configs, ResourceType::topic, resource.resource_name)) {
    return refuse_resource(result, wire::ErrorCode::topic_authorization_failed, "Not allowed to see this topic's configuration.");
  }
  if (const auto valid = check_topic_name(resource.resource_name); !valid) {
    return refuse_resource(result, valid.error().code, valid.error().message);
  }
  const Topic* topic = context.broker.topics().find(resource.resource_name);
  if (topic == nullptr) {
    return refuse_resource(result, wire::ErrorCode::unknown_topic_or_partition, "This server does not host this topic-partition.");
  }
  for (const ConfigKey& key : topic_keys()) {
    if (!is_wanted(resource, key)) continue;
    result.configs.push_back(describe(key, topic_config_origins(context.broker.config(), topic->record.config, key), false, request));
  }
}

void describe_broker(RequestContext& context, const Request& request, const Request::DescribeConfigsResource& resource, Result& result) {
  if (!context.allows(Operation::describe_configs, ResourceType::cluster, cluster_resource)) {
    return refuse_resource(result, wire::ErrorCode::cluster_authorization_failed, "Not allowed to see the broker's configuration.");
  }
  if (resource.resource_name.empty()) return;  // the dynamic defaults of all brokers: there are none
  if (resource.resource_name != std::to_string(context.broker.config().node_id)) {
    return refuse_resource(result, wire::ErrorCode::invalid_request,
                           fmt::format("Unexpected broker id, expected {} or empty string, but received {}",
                                       context.broker.config().node_id, resource.resource_name));
  }
  for (const ConfigKey& key : broker_keys()) {
    if (is_wanted(resource, key))
      result.configs.push_back(describe(key, broker_config_origins(context.broker.config(), key), true, request));
  }
}

}  // namespace

void handle_describe_configs(RequestContext& context, const wire::DescribeConfigsRequest& request,
                             Reply<wire::DescribeConfigsResponse> reply) {
  wire::DescribeConfigsResponse response;
  for (const auto& resource : request.resources) {
    Result& result = response.results.emplace_back();
    result.resource_type = resource.resource_type;
    result.resource_name = resource.resource_name;
    if (resource.resource_type == topic_resource) {
      describe_topic(context, request, resource, result);
    } else if (resource.resource_type == broker_resource) {
      describe_broker(context, request, resource, result);
    } else {
      refuse_resource(result, wire::ErrorCode::invalid_request, fmt::format("There is no resource of type {}.", resource.resource_type));
    }
  }
  reply(response);
}

}  // namespace tripos::broker
