// IncrementalAlterConfigs: single values set and removed, lists appended to and subtracted from (KIP-339).
#include <utility>

#include "broker/api/config_resource.h"
#include "broker/api/handlers.h"

namespace tripos::broker {

void handle_incremental_alter_configs(RequestContext& context, const wire::IncrementalAlterConfigsRequest& request,
                                      Reply<wire::IncrementalAlterConfigsResponse> reply) {
  alter_resources(context, request, std::move(reply), true, [](const wire::IncrementalAlterConfigsRequest::AlterableConfig& config) {
    return ConfigEdit{.name = config.name, .value = config.value, .operation = static_cast<ConfigOperation>(config.config_operation)};
  });
}

}  // namespace tripos::broker
