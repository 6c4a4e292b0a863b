// DescribeCluster: the one broker, which is the controller too.
#include "broker/api/authorized_operations.h"
#include "broker/api/handlers.h"

namespace tripos::broker {

void handle_describe_cluster(RequestContext& context, const wire::DescribeClusterRequest& request,
                             Reply<wire::DescribeClusterResponse> reply) {
  constexpr std::int8_t brokers = 1;
  constexpr std::int8_t controllers = 2;
  wire::DescribeClusterResponse response;
  response.endpoint_type = brokers;
  if (request.endpoint_type != brokers && request.endpoint_type != controllers) {
    response.error_code = wire::ErrorCode::unsupported_endpoint_type;
    response.error_message = fmt::format("There is no endpoint of type {}.", request.endpoint_type);
    return reply(response);
  }
  if (request.endpoint_type != brokers) {
    // Kafka's brokers refuse to name controllers, too.
    response.error_code = wire::ErrorCode::mismatched_endpoint_type;
    response.error_message = "The request was sent to an endpoint of the wrong type.";
    return reply(response);
  }
  const Broker& broker = context.broker;
  response.cluster_id = broker.cluster_id();
  response.controller_id = broker.config().node_id;
  auto& self = response.brokers.emplace_back();
  self.broker_id = broker.config().node_id;
  self.host = broker.advertised().host;
  self.port = broker.advertised().port;
  if (request.include_cluster_authorized_operations) response.cluster_authorized_operations = all_cluster_operations;
  reply(response);
}

}  // namespace tripos::broker
