// Metrics: what GET /metrics answers (docs/reference/metrics.md). Reads counters and states where they are kept; nothing is gathered for it
// beforehand but the ends of partitions, once a second (consumer_lag.h).
// Threads: the loop's.
#pragma once

#include <string>

#include "app/metrics/consumer_lag.h"
#include "app/metrics/exposition.h"
#include "broker/broker.h"

namespace tripos::broker {
class Server;
}

namespace tripos::app {

class Metrics {
 public:
  explicit Metrics(broker::Broker& broker) : broker_(broker), lag_(broker) {}

  // Each second.
  void look() { lag_.look(); }
  // `server`: nullptr before it listens.
  [[nodiscard]] std::string text(const broker::Server* server);

 private:
  void add_requests(Exposition& to) const;
  void add_partitions(Exposition& to) const;
  void add_groups(Exposition& to);
  void add_transactions(Exposition& to) const;
  void add_disk(Exposition& to) const;

  broker::Broker& broker_;
  ConsumerLag lag_;
};

// Of this process, as the operating system tells it.
void add_process_metrics(Exposition& to);

}  // namespace tripos::app
