#include "broker/api/config_resource.h"

#include <algorithm>
#include <set>
#include <utility>

namespace tripos::broker {

namespace {

// A list with elements added that it lacks, or removed.
Outcome<std::string> edited_list(const ConfigKey* key, const ConfigValues& values, const ConfigEdit& edit) {
  const bool append = edit.operation == ConfigOperation::append;
  if (key != nullptr && key->type != ConfigType::list) {
    return refuse(wire::ErrorCode::invalid_config, "Can't {} key {} because its type is not LIST.", append ? "APPEND to" : "SUBTRACT from",
                  edit.name);
  }
  if (append && key != nullptr && !key->choices.empty() && list_elements(*edit.value).empty()) {
    return refuse(wire::ErrorCode::invalid_config, "Invalid value {} for configuration {}: it takes a comma separated list of {}",
                  *edit.value, edit.name, key->choices);
  }
  const auto found = values.find(edit.name);
  const std::string_view standing = found != values.end() ? std::string_view(found->second) : key != nullptr ? key->default_value : "";
  std::vector<std::string_view> list = list_elements(standing);
  std::erase(list, std::string_view());
  for (const std::string_view element : list_elements(*edit.value)) {
    if (element.empty()) continue;
    const auto place = std::ranges::find(list, element);
    if (append && place == list.end()) list.push_back(element);
    if (!append && place != list.end()) list.erase(place);
  }
  return fmt::format("{}", fmt::join(list, ","));
}

// Known keys, values that they can have, and keys that can be changed while the broker runs.
Outcome<> check_broker_values(const ConfigValues& values) {
  for (const auto& [name, value] : values) {
    if (auto known = known_key(broker_keys(), name); !known) return refuse(wire::ErrorCode::invalid_config, "{}", known.error().message);
  }
  if (auto valid = check_values(broker_keys(), values); !valid) {
    return refuse(wire::ErrorCode::invalid_request, "{}", valid.error().message);
  }
  for (const auto& [name, value] : values) {
    if (!is_dynamic(*find_key(broker_keys(), name))) {
      return refuse(wire::ErrorCode::invalid_request,
                    "Cannot update these configs dynamically: {}. Set it with `tripos serve --set {}={}`.", name, name, value);
    }
  }
  return {};
}

}  // namespace

Outcome<ConfigResource> find_config_resource(RequestContext& context, std::int8_t type, const std::string& name, Operation operation) {
  if (type == topic_resource) {
    if (!context.allows(operation, ResourceType::topic, name)) {
      return refuse(wire::ErrorCode::topic_authorization_failed, "Not allowed to use this topic's configuration so.");
    }
    if (name.empty() && operation == Operation::alter_configs) {
      return refuse(wire::ErrorCode::invalid_request, "Default topic resources are not allowed.");
    }
    if (auto valid = check_topic_name(name); !valid) return tl::unexpected(std::move(valid).error());
    Topic* topic = context.broker.topics().find(name);
    if (topic == nullptr) return unknown_topic_or_partition();
    return ConfigResource{.topic = topic};
  }
  if (type != broker_resource) return refuse(wire::ErrorCode::invalid_request, "There is no resource of type {}.", type);
  if (!context.allows(operation, ResourceType::cluster, cluster_resource)) {
    return refuse(wire::ErrorCode::cluster_authorization_failed, "Not allowed to use the broker's configuration so.");
  }
  if (name.empty()) return ConfigResource{.scope = DynamicScope::all_brokers};
  if (const std::int32_t node_id = context.broker.config().node_id; name != std::to_string(node_id)) {
    return refuse(wire::ErrorCode::invalid_request, "Unexpected broker id, expected {} or empty string, but received {}", node_id, name);
  }
  return ConfigResource{.scope = DynamicScope::this_broker};
}

Outcome<ConfigValues> edited(std::span<const ConfigKey> keys, ConfigValues values, const std::vector<ConfigEdit>& edits) {
  std::set<std::string_view> seen;
  for (const ConfigEdit& edit : edits) {
    if (!seen.insert(edit.name).second)
      return refuse(wire::ErrorCode::invalid_request, "Error due to duplicate config keys: {}", edit.name);
    if (edit.operation == ConfigOperation::remove) {
      values.erase(edit.name);
      continue;
    }
    if (!edit.value) return refuse(wire::ErrorCode::invalid_request, "Null value not supported for: {}", edit.name);
    switch (edit.operation) {
      case ConfigOperation::set: values.insert_or_assign(edit.name, *edit.value); break;
      case ConfigOperation::append:
      case ConfigOperation::subtract: {
        auto list = edited_list(find_key(keys, edit.name), values, edit);
        if (!list) return tl::unexpected(std::move(list).error());
        values.insert_or_assign(edit.name, std::move(*list));
        break;
      }
      default:
        return refuse(wire::ErrorCode::invalid_request, "Unknown operation type {} for {}", static_cast<int>(edit.operation), edit.name);
    }
  }
  return values;
}

void change_config(RequestContext& context, const ConfigResource& resource, Broker::ConfigChange change, bool validate_only,
                   std::function<void(const Outcome<>&)> done) {
  Broker& broker = context.broker;
  const auto refused = [](KafkaError error) { return Outcome<>(tl::unexpected(std::move(error))); };
  if (resource.topic == nullptr) {
    const auto changed_values = [change = std::move(change)](const ConfigValues& standing) -> Outcome<ConfigValues> {
      auto values = change(standing);
      if (!values) return values;
      if (auto valid = check_broker_values(*values); !valid) return tl::unexpected(std::move(valid).error());
      return values;
    };
    if (!validate_only) return broker.change_config(resource.scope, changed_values, std::move(done));
    const auto values = changed_values(broker.config().dynamic_values(resource.scope));
    return done(values ? Outcome<>() : refused(values.error()));
  }
  const auto changed_record = [&broker, change = std::move(change)](TopicRecord record) -> Outcome<TopicRecord> {
    auto values = change(record.config);
    if (!values) return tl::unexpected(std::move(values).error());
    if (auto valid = check_topic_config(broker.config(), *values); !valid) {
      return refuse(wire::ErrorCode::invalid_config, "{}", valid.error().message);
    }
    record.config = std::move(*values);
    return record;
  };
  if (validate_only) {
    const auto record = changed_record(resource.topic->record);
    return done(record ? Outcome<>() : refused(record.error()));
  }
  broker.topics().change(resource.topic->id(), changed_record, [refused, done = std::move(done)](const Outcome<Topic*>& changed) {
    done(changed ? Outcome<>() : refused(changed.error()));
  });
}

}  // namespace tripos::broker
