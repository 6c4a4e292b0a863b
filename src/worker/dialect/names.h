// The queries that WITH has named, as seen from one place: the innermost first.
#pragma once

#include "worker/dialect/rewriter.h"

namespace tripos::worker {

struct Rewriter::Names {
  const Names* outer = nullptr;
  std::vector<Cte> ctes;

  [[nodiscard]] const Cte* find(std::string_view name) const {
    for (const Names* at = this; at != nullptr; at = at->outer) {
      for (auto cte = at->ctes.rbegin(); cte != at->ctes.rend(); ++cte) {
        if (equal_ignoring_case(cte->name, name)) {
          return &*cte;
        }
      }
    }
    return nullptr;
  }
};

// Notes that a column's value is read.
inline void mark_read(Usage* usage) {
  if (usage != nullptr) {
    usage->whole = true;
  }
}

}  // namespace tripos::worker
