// ViewCatalog: the views that users have made (docs/format/catalog.md). They are records of the compacted internal topic
// __tripos_catalog: the key is the view's name in lower case, the value its definition, none when it was dropped.
// A change is answered when its record is durable. Whoever asks first reads what has come since, so that a view that was made before
// a question is in it, whoever made it.
// Threads: any but the event loop's.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "lambda/record_scan.h"
#include "model/ports.h"
#include "query/protocol/messages.h"

namespace tripos::query {

class ViewCatalog {
 public:
  static constexpr std::string_view topic = "__tripos_catalog";

  ViewCatalog(RecordSource& source, RecordSink& sink) : source_(source), sink_(sink) {}

  // All views as of now, by their names in lower case.
  [[nodiscard]] Result<std::vector<protocol::View>> views();

  // already_exists, not_found: as the kind of change says.
  [[nodiscard]] Result<> change(const protocol::ViewChange& change);

 private:
  [[nodiscard]] Result<> read_on();
  void take(const Record& record);

  RecordSource& source_;
  RecordSink& sink_;
  std::mutex mutex_;
  lambda::RecordScan scan_;
  TopicId topic_id_;
  Offset next_{0};
  std::map<std::string, protocol::View> views_;
};

}  // namespace tripos::query
