// Trimming: how records leave a partition's log, whoever wants it: retention or DeleteRecords.
//
//   guard (tables, load counts) -> producer snapshot -> log start -> files
//
// Each step is durable before the next begins, so that a crash anywhere leaves records that somebody still needs, never the opposite.
// Threads: the loop's.
#pragma once

#include <functional>
#include <memory>

#include "broker/broker.h"
#include "broker/kafka_error.h"

namespace tripos::broker {

class Trimming {
 public:
  explicit Trimming(Broker& broker) : broker_(broker) {}
  ~Trimming() { *alive_ = false; }
  Trimming(const Trimming&) = delete;
  Trimming& operator=(const Trimming&) = delete;

  // `done`: the log's start, once it is durable; it lies below what was asked for if the guard wants to keep some. Refused: nothing has
  // gone. `leaving.end` is at most the partition's durable end. Told once, whatever happens.
  void trim(const LeavingRecords& leaving, std::function<void(const Outcome<Offset>&)> done);

 private:
  void trim_now(const LeavingRecords& leaving, const std::function<void(const Outcome<Offset>&)>& done);

  Broker& broker_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace tripos::broker
