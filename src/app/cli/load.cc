// tripos load
#include <cstdio>

#include "app/cli/command.h"
#include "app/cli/interrupt.h"
#include "app/cli/loading.h"

namespace tripos::app {
namespace {

struct Load {
  static constexpr CommandInfo info = {
      "load", "Bring a topic up to JSON files: each element that it lacks becomes a message",
      "  tripos load exams attempts.json                  a JSON array, NDJSON, documents; .gz, .zst, .lz4\n"
      "  tripos load exams exports/                       every such file in a directory\n"
      "  tripos generate --messages 1000 | tripos load exams -\n"
      "  tripos load exams attempts.json --id keen_id     elements with an id that is there are known\n"
      "  tripos load exams attempts.json --append         adds everything, also what is there\n"
      "\n"
      "A message's value is its element without white space; numbers, escapes and the order of keys stay as they are. An element that "
      "stands\n"
      "in the topic as often as in the file, whoever sent it, is not sent again: after an interruption the same command goes on.\n"
      "Lines that are no JSON are kept as they are (TOPIC_rejected shows them), and the exit code is 1."};

  Loading loading;
  std::string compression = "none";

  void flags(Flags& flags) {
    flags.option("topic", loading.topic, "The topic; made if the broker allows it", "TOPIC").required();
    flags.option("files", loading.files, "Files and directories; - is standard input", "FILE…|DIR…|-").required();
    flags.option("--id", loading.id_field, "What makes two elements the same: this field of theirs; else all of their content", "FIELD");
    flags.flag("--append", loading.append, "Add everything, also what is there; any Kafka broker will do");
    flags.option("--partition", loading.partition, "All into this partition", "N");
    flags.option("--compression", compression, "none, gzip, snappy, lz4 or zstd", "CODEC");
    flags.flag("--quiet", loading.quiet, "Say nothing of what was loaded");
  }

  Result<> run(Session& session) {
    TRIPOS_ASSIGN(loading.compression, compression_from_name(compression));
    if (loading.append && !loading.id_field.empty())
      return fail(ErrorCode::invalid_argument, "--append adds everything, whatever its --id");
    TRIPOS_ASSIGN(Target * target, session.target());
    catch_interrupts();
    loading.cancelled = &interrupted();
    const LoadConnections connections{.kafka = [&] { return target->connect_kafka(); }, .http = [&] { return connect_http(*target); }};
    Loaded loaded;
    Result<> outcome = load_files(connections, loading, loaded);
    if (!loading.quiet && loaded.seconds > 0) fmt::print(stderr, "{}\n", loaded_text(loading, loaded));
    return outcome;
  }

  // The elements go over HTTP, topics are made over Kafka's protocol: both must be one server's.
  static Result<client::HttpClient> connect_http(Target& target) {
    const Settings& settings = target.settings();
    if (settings.kafka && !settings.http && !settings.data_is_flag) {
      return fail(ErrorCode::invalid_argument,
                  "what the topic at {} lacks is counted by the Tripos server over HTTP: --http HOST:PORT says where (or --append adds "
                  "everything, over Kafka's protocol alone)",
                  *settings.kafka);
    }
    return target.connect_http();
  }
};

}  // namespace

void add_load(const Commands& root) { root.add<Load>(); }

}  // namespace tripos::app
