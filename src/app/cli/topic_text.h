// topic_description: a topic as kafka-topics --describe prints it.
#pragma once

#include <string>

#include "client/topics.h"

namespace tripos::app {

[[nodiscard]] Result<std::string> topic_description(client::KafkaConnection& connection, const client::TopicMetadata& topic);

}  // namespace tripos::app
