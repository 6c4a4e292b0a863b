// AlterConfigs: the values that are named are all that are set from then on. IncrementalAlterConfigs is what tools should use.
#include <utility>

#include "broker/api/config_resource.h"
#include "broker/api/handlers.h"

namespace tripos::broker {

void handle_alter_configs(RequestContext& context, const wire::AlterConfigsRequest& request, Reply<wire::AlterConfigsResponse> reply) {
  alter_resources(context, request, std::move(reply), false, [](const wire::AlterConfigsRequest::AlterableConfig& config) {
    return ConfigEdit{.name = config.name, .value = config.value};
  });
}

}  // namespace tripos::broker
