// Operations that may be done, as a set of Kafka's numbers (AclOperation): there are no rights yet, so all that the resource knows.
#pragma once

#include <cstdint>

namespace tripos::broker {

inline constexpr std::int32_t all_topic_operations = 0xdf8;
inline constexpr std::int32_t all_cluster_operations = 0x1fa0;

}  // namespace tripos::broker
