// Group::Step: one call of Group::step. For the parts of group*.cc only.
#pragma once

#include <utility>

#include "broker/group/group.h"

namespace tripos::groups {

struct Group::Step {
  MonotonicTime now;
  Effects effects;

  void answer(Effect effect) { effects.push_back(std::move(effect)); }
  void answer_plain(RequestId request, wire::ErrorCode error) { effects.push_back(PlainAnswer{request, error}); }
};

}  // namespace tripos::groups
