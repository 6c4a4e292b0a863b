// tripos batch run|status
#include <cstdio>

#include "app/cli/batch_text.h"
#include "app/cli/command.h"
#include "app/cli/query.h"

namespace tripos::app {
namespace {

Result<> print_answer(Session& session, const client::HttpRequest& request, bool json) {
  TRIPOS_ASSIGN(Target * target, session.target());
  TRIPOS_ASSIGN(client::HttpClient http, target->connect_http());
  TRIPOS_ASSIGN(std::string answer, fetch_text(http, request));
  if (!json) {
    TRIPOS_ASSIGN(answer, batch_text(answer));
  }
  fmt::print("{}", answer);
  return {};
}

struct BatchRun {
  static constexpr CommandInfo info = {"run", "Write what is new into Parquet: of all tables, or of one topic's",
                                       "  tripos batch run\n"
                                       "  tripos batch run exams"};
  std::string topic;
  bool json = false;

  void flags(Flags& flags) {
    flags.option("topic", topic, "Only this topic's table", "TOPIC");
    flags.flag("--json", json, "The server's own answer");
  }
  Result<> run(Session& session) {
    const std::string target = topic.empty() ? "/v1/batch" : "/v1/batch?topic=" + client::url_encoded(topic);
    return print_answer(session, {.method = "POST", .target = target}, json);
  }
};

struct BatchStatus {
  static constexpr CommandInfo info = {"status", "What the batch layer holds: files, rows, bytes, offsets", "  tripos batch status"};
  bool json = false;

  void flags(Flags& flags) { flags.flag("--json", json, "The server's own answer"); }
  Result<> run(Session& session) { return print_answer(session, {.target = "/v1/batch"}, json); }
};

struct Batch {
  static constexpr CommandInfo info = {"batch", "The batch layer: Parquet snapshots of the tables",
                                       "  tripos batch run\n"
                                       "  tripos batch status"};
  void flags(Flags& flags) { flags.require_command(); }
  Result<> run(Session&) { return {}; }
};

}  // namespace

void add_batch(const Commands& root) {
  const Commands batch = root.add<Batch>();
  batch.add<BatchRun>();
  batch.add<BatchStatus>();
}

}  // namespace tripos::app
