// tripos load
#include <cstdio>

#include "app/cli/command.h"
#include "app/cli/interrupt.h"
#include "app/cli/loading.h"
#include "app/cli/terminal.h"

namespace tripos::app {
namespace {

struct Load {
  static constexpr CommandInfo info = {
      "load", "Load events from JSON files: each element becomes a message",
      "  tripos load exams attempts.json                  a JSON array, or NDJSON\n"
      "  tripos generate --messages 1000 | tripos load exams -\n"
      "\n"
      "A message's value is its element without white space; numbers, escapes and the order of keys stay as they are."};

  std::string topic;
  std::vector<std::string> files;
  std::optional<std::int32_t> partition;
  std::string compression = "none";
  bool quiet = false;

  void flags(CLI::App& app) {
    app.add_option("topic", topic, "The topic; made if the broker allows it")->required()->type_name("TOPIC");
    app.add_option("files", files, "Files; - is standard input")->required()->type_name("FILE…|-");
    app.add_option("--partition", partition, "All into this partition")->type_name("N");
    app.add_option("--compression", compression, "none, gzip, snappy, lz4 or zstd")->type_name("CODEC");
    app.add_flag("--quiet", quiet, "Say nothing of what was loaded");
  }

  Result<> run(Session& session) {
    catch_interrupts();
    Loading loading{.topic = topic, .files = files, .partition = partition};
    TRIPOS_ASSIGN(loading.producer.compression, compression_from_name(compression));
    TRIPOS_ASSIGN(Target * target, session.target());
    target->set_cancelled(&interrupted());
    TRIPOS_ASSIGN(client::KafkaConnection connection, target->connect_kafka());
    Loaded loaded;
    const Result<> outcome = load_files(connection, loading, loaded);
    if (!quiet)
      fmt::print(stderr, "Loaded {} messages ({}) into {}.\n", grouped(loaded.message_count), readable_bytes(loaded.bytes_read), topic);
    return outcome;
  }
};

}  // namespace

void add_load(CLI::App& root, Chosen& chosen) { add_command<Load>(root, chosen); }

}  // namespace tripos::app
