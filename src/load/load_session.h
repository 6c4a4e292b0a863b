// LoadSession: one load of one topic on the server's side: elements in, those that the topic lacks are appended (docs/adr/0017).
//
// begin() catches the index up; from then on the topic's count of a content is fixed: what the session appends is exactly what it has
// seen beyond that, and what others append counts as coming after it. Element k of a content is new if k is above the index's count.
//
// In flight are at most `in_flight_bytes_max`; appends of a partition are written in the order of the elements. After a failure the session
// takes nothing more; what was appended stays, and is counted by the next load.
//
// Threads: any; calls wait for each other. What appends complete comes from the sink's thread.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "load/load_claim.h"
#include "load/load_index.h"
#include "model/ports.h"

namespace tripos::load {

struct LoadTally {
  std::uint64_t new_count = 0;  // appended and durable
  std::uint64_t known_count = 0;
};

struct LoadRequest {
  std::string topic;
  Identity identity = {};
  std::optional<PartitionId> partition = {};  // none: in turns
  Compression compression = Compression::none;
  friend bool operator==(const LoadRequest&, const LoadRequest&) noexcept = default;
};

class LoadSession {
 public:
  static constexpr std::size_t in_flight_bytes_max = std::size_t{16} << 20;

  struct Parts {
    RecordSource& source;
    RecordSink& sink;
    io::FileSystem& files;
    std::string directory;  // its own, for counts beyond memory; removed at the end
    std::shared_ptr<LoadClaims::Claim> claim;
    std::unique_ptr<LoadIndex> index;
  };
  LoadSession(Parts parts, TopicDescription topic, LoadRequest request)
      : parts_(std::move(parts)), topic_(std::move(topic)), request_(std::move(request)) {}
  ~LoadSession();

  // Once for each file: element counts begin anew, and all that was appended so far belongs to the topic's.
  [[nodiscard]] Result<> begin(const LoadIndex::Progress& progress);

  // Elements, each with a newline behind it. `turn` is called once those of earlier calls have been taken, unless they failed: who calls
  // may then bring the next, so that one block is on its way while one is worked on.
  [[nodiscard]] Result<> take(Bytes text, const std::function<void(const LoadTally&)>& turn);

  // Waits until everything is durable.
  [[nodiscard]] Result<LoadTally> finish();

  [[nodiscard]] const LoadRequest& request() const noexcept { return request_; }
  [[nodiscard]] const TopicDescription& topic() const noexcept { return topic_; }
  // The largest element that fits a message.
  [[nodiscard]] std::size_t element_bytes_max() const noexcept;
  [[nodiscard]] std::uint64_t uncounted() const;

 private:
  // What appends report to; may outlive the session.
  struct Flight {
    std::mutex mutex;
    std::condition_variable moved;
    std::size_t bytes = 0;
    std::uint64_t appended_count = 0;
    std::optional<Error> failure;
  };
  struct Line {
    Bytes bytes;
    ContentHash hash;
    std::uint32_t position;
    bool is_new = false;
  };

  [[nodiscard]] LoadTally tally() const;
  [[nodiscard]] Result<> judge(std::vector<Line>& lines);
  [[nodiscard]] Result<> append(const std::vector<Line>& lines);
  [[nodiscard]] Result<> send(std::vector<NewRecord> records, std::size_t size);
  [[nodiscard]] Result<> wait_for_room(std::size_t bytes_max);

  const Parts parts_;
  const TopicDescription topic_;
  const LoadRequest request_;
  const std::shared_ptr<Flight> flight_ = std::make_shared<Flight>();

  mutable std::mutex mutex_;
  std::optional<Counts> seen_;  // in this file
  std::optional<Error> failure_;
  std::uint64_t known_count_ = 0;
  std::int32_t next_partition_ = 0;
};

}  // namespace tripos::load
