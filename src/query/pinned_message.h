// A pin as the worker gets it: the message, and the descriptors that go beside it. A file that several slices use is sent once.
#pragma once

#include <vector>

#include "lambda/tables.h"
#include "query/protocol/messages.h"

namespace tripos::query {

struct PinnedMessage {
  protocol::Pinned message;
  std::vector<int> descriptors;  // open as long as the pin lives
};

// `asked`: the references of the pin, as the worker wrote them.
[[nodiscard]] Result<PinnedMessage> pinned_message(const lambda::Pin& pin, std::span<const protocol::TableName> asked,
                                                   const lambda::ManifestStore& manifests);

struct RangeMessage {
  protocol::PinnedRange range;
  std::vector<int> descriptors;
};
[[nodiscard]] Result<RangeMessage> range_message(const PartitionRange& range);

}  // namespace tripos::query
