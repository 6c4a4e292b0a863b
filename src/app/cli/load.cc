// tripos load
#include <cstdio>

#include "app/cli/command.h"
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

  void flags(Flags& flags) {
    flags.option("topic", topic, "The topic; made if the broker allows it", "TOPIC").required();
    flags.option("files", files, "Files; - is standard input", "FILE…|-").required();
    flags.option("--partition", partition, "All into this partition", "N");
    flags.option("--compression", compression, "none, gzip, snappy, lz4 or zstd", "CODEC");
    flags.flag("--quiet", quiet, "Say nothing of what was loaded");
  }

  Result<> run(Session& session) {
    Loading loading{.topic = topic, .files = files, .partition = partition};
    TRIPOS_ASSIGN(loading.producer.compression, compression_from_name(compression));
    TRIPOS_ASSIGN(Target * target, session.target());
    TRIPOS_ASSIGN(client::KafkaConnection connection, target->connect_kafka());
    Loaded loaded;
    const Result<> outcome = load_files(connection, loading, loaded);
    if (!quiet)
      fmt::print(stderr, "Loaded {} messages ({}) into {}.\n", grouped(loaded.message_count), readable_bytes(loaded.bytes_read), topic);
    return outcome;
  }
};

}  // namespace

void add_load(const Commands& root) { root.add<Load>(); }

}  // namespace tripos::app
