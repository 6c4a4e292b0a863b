// LoadService: begins loads on the server's side. Threads: any but the event loop's.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "load/load_session.h"

namespace tripos::load {

class LoadService {
 public:
  // `topics_directory`: below it, each topic's own by its id.
  LoadService(io::FileSystem& files, io::Clock& clock, std::string topics_directory, RecordSource& source, RecordSink& sink,
              LoadIndexOptions options = {})
      : files_(files),
        topics_directory_(std::move(topics_directory)),
        source_(source),
        sink_(sink),
        options_(options),
        claims_(std::make_shared<LoadClaims>(clock)) {}

  // Claims the topic and counts what it holds. not_found: no such topic; conflict: another load of it is under way.
  [[nodiscard]] Result<std::shared_ptr<LoadSession>> begin(LoadRequest request, const LoadIndex::Progress& progress);

  // Before records leave the topic's log: counts them, for each identity by which the topic was ever loaded. conflict: a load is under way.
  [[nodiscard]] Result<> count_before_trim(const TopicDescription& topic);

 private:
  [[nodiscard]] std::string load_directory(const TopicId& topic) const;

  io::FileSystem& files_;
  std::string topics_directory_;
  RecordSource& source_;
  RecordSink& sink_;
  LoadIndexOptions options_;
  std::shared_ptr<LoadClaims> claims_;
  std::atomic<std::uint64_t> session_number_ = 0;
};

}  // namespace tripos::load
