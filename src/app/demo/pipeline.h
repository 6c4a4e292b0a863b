// Pipeline: the main job, step by step: what the firm does in a morning with five containers. Each step is printed with the command that
// does it, and its answer. It talks to a server by the same sockets as anybody.
#pragma once

#include <atomic>
#include <string>

#include "app/cli/loading.h"
#include "app/cli/query.h"
#include "client/http_client.h"
#include "client/kafka_connection.h"

namespace tripos::app {

struct PipelineOptions {
  std::string file;       // of attempts
  std::string directory;  // where exported files go; the server may read it
  std::string topic = "exams";
};

class Pipeline {
 public:
  Pipeline(client::KafkaConnection kafka, client::HttpClient http, LoadConnections connections, PipelineOptions options)
      : kafka_(std::move(kafka)), http_(std::move(http)), connections_(std::move(connections)), options_(std::move(options)) {}

  [[nodiscard]] Result<> run();
  [[nodiscard]] std::uint64_t message_count() const noexcept { return message_count_; }

 private:
  [[nodiscard]] Result<> create_topic();
  [[nodiscard]] Result<> load();
  [[nodiscard]] Result<> look_at_messages();
  [[nodiscard]] Result<> first_message_keys();
  [[nodiscard]] Result<> print_schema();
  [[nodiscard]] Result<> write_parquet();
  [[nodiscard]] Result<> popularity();
  [[nodiscard]] Result<> exams_table();
  [[nodiscard]] Result<> proficiency();
  [[nodiscard]] Result<> corrected_proficiency();

  // Prints the statement, runs it, prints the answer as Spark's show() does.
  [[nodiscard]] Result<> ask(const std::string& sql);

  // `tripos show TABLE`
  [[nodiscard]] Result<> show(const std::string& table);

  client::KafkaConnection kafka_;
  client::HttpClient http_;
  LoadConnections connections_;
  PipelineOptions options_;
  std::uint64_t message_count_ = 0;
};

}  // namespace tripos::app
