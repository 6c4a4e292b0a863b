// World: one life of a server on a simulated disk, without sockets and without DuckDB: the broker's core, and the tables over plain column
// files. What the server does between its parts (src/app/server) is done here with the same calls, in one thread and in virtual time.
// Ownership: owns the disk while it lives; leave_disk() hands it on. Threads: one; worlds of different threads share nothing.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker/testing.h"
#include "lambda/plain_column_files.h"
#include "lambda/snapshotter.h"
#include "source/broker_source.h"
#include "store/local_store.h"

namespace tripos::sim {

// The port over the broker, asked on its loop.
class LoopSource final : public RecordSource {
 public:
  void serve(broker::Broker* broker) { broker_ = broker; }
  [[nodiscard]] std::vector<TopicDescription> topics() override;
  [[nodiscard]] Result<std::vector<PartitionRange>> ranges(std::span<const RangeRequest> requests) override;

 private:
  broker::Broker* broker_ = nullptr;
};

class World {
 public:
  // Starts on the disk; is_open() tells whether the server came up.
  World(std::unique_ptr<io::SimFileSystem> disk, std::uint64_t seed);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  [[nodiscard]] bool is_open() const { return broker_->is_open(); }
  // Why it did not open; or what it told the operator, of which nothing is expected on a sound disk.
  [[nodiscard]] std::string complaints() const;
  [[nodiscard]] broker::TestBroker& broker() { return *broker_; }
  [[nodiscard]] io::SimLoop& loop() { return broker_->loop(); }
  [[nodiscard]] io::SimFileSystem& disk() { return broker_->files(); }
  [[nodiscard]] lambda::Tables& tables() { return *tables_; }
  [[nodiscard]] const lambda::ManifestStore& manifests() const { return *manifests_; }
  [[nodiscard]] const lambda::PlainColumnFiles& columns() const { return *columns_; }

  // A batch run of all tables, some time soon, as a background work. The rival is another process on the same files, which knows of what
  // the server commits only what it reads (rules, 3.1).
  enum class Committer { server, rival };
  void start_snapshot(Committer committer = Committer::server);

  // Ends without a word.
  [[nodiscard]] std::unique_ptr<io::SimFileSystem> leave_disk() { return broker_->leave_disk(); }
  // As SIGTERM does. False: it does not come to an end.
  [[nodiscard]] bool stop();

 private:
  void guard_trim(const broker::LeavingRecords& leaving, std::function<void(const Result<Offset>&)> allowed);
  [[nodiscard]] Result<Offset> prepare_trim(const broker::LeavingRecords& leaving);
  void complain(std::string what) { complaints_.push_back(std::move(what)); }

  std::unique_ptr<store::LocalStore> store_;
  std::unique_ptr<lambda::ManifestStore> manifests_;
  std::unique_ptr<lambda::OffsetFloors> floors_;
  std::unique_ptr<broker::TestBroker> broker_;
  LoopSource source_;
  std::unique_ptr<lambda::Tables> tables_;
  std::unique_ptr<lambda::Tables> rival_tables_;
  std::unique_ptr<lambda::PlainColumnFiles> columns_;
  std::unique_ptr<lambda::Snapshotter> snapshotter_;
  std::unique_ptr<lambda::Snapshotter> rival_;
  std::vector<std::string> complaints_;
};

}  // namespace tripos::sim
