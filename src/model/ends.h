// The ends of a partition's log, each a type of its own so that none is taken for another (rules, 1.4).
// Invariant: StableOffset <= DurableEnd <= WrittenEnd. Each is exclusive: the offset of the next record.
// Only src/log turns a WrittenEnd into a DurableEnd (after a sync), only src/broker a DurableEnd into a StableOffset.
#pragma once

#include "model/ids.h"

namespace tripos {

template <typename Tag>
struct LogEnd {
  Offset offset;
  friend auto operator<=>(LogEnd, LogEnd) noexcept = default;
};

using WrittenEnd = LogEnd<struct WrittenEndTag>;      // appended, perhaps lost by a power cut; nobody outside of the log sees it
using DurableEnd = LogEnd<struct DurableEndTag>;      // synced: the high watermark
using StableOffset = LogEnd<struct StableOffsetTag>;  // the last stable offset: no open transaction below it

}  // namespace tripos
