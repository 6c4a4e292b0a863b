// Authorizer: may somebody do something? Asked on every request, for every resource that it names (Kafka's terms, KIP-11).
// Until there are access control lists, the answer is yes.
#pragma once

#include <string_view>

#include "broker/session_context.h"

namespace tripos::broker {

enum class Operation { read, write, create, remove, alter, describe, cluster_action, describe_configs, alter_configs, idempotent_write };
enum class ResourceType { topic, group, cluster, transactional_id };

inline constexpr std::string_view cluster_resource = "kafka-cluster";

class Authorizer {
 public:
  virtual ~Authorizer() = default;
  [[nodiscard]] virtual bool allows(const SessionContext& session, Operation operation, ResourceType type, std::string_view name) const = 0;
};

class AllowEverything final : public Authorizer {
 public:
  [[nodiscard]] bool allows(const SessionContext& /*session*/, Operation /*operation*/, ResourceType /*type*/,
                            std::string_view /*name*/) const override {
    return true;
  }
};

}  // namespace tripos::broker
