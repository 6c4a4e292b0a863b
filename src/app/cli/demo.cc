// tripos demo
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "app/cli/command.h"
#include "app/cli/interrupt.h"
#include "app/cli/terminal.h"
#include "app/demo/child_server.h"
#include "app/demo/pipeline.h"
#include "exam/generator.h"

namespace tripos::app {
namespace {

// A new directory below the one for temporary files.
Result<std::string> fresh_directory() {
  const char* temporary = std::getenv("TMPDIR");
  std::string path = std::string(temporary != nullptr && *temporary != '\0' ? temporary : "/tmp") + "/tripos-demo-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) return tl::unexpected(os_error(errno, "making", path));
  return path;
}

struct Demo {
  static constexpr CommandInfo info = {"demo", "The whole pipeline: events in, stored, asked, reported",
                                       "  tripos demo                                      on generated attempts\n"
                                       "  tripos demo --file attempts.json --no-wait       on your own, then end\n"
                                       "\n"
                                       "Without --data everything goes into a new directory, which stays."};
  std::string file;
  exam::GeneratorOptions generator;
  bool no_wait = false;

  void flags(Flags& flags) {
    flags.option("--file", file, "Attempts: a JSON array or NDJSON; generated if not given", "FILE");
    flags.option("--messages", generator.messages, "How many to generate; 3280 if not given", "N");
    flags.option("--seed", generator.seed, "Of the generator", "N");
    flags.flag("--no-wait", no_wait, "End when all is printed; else serve until Ctrl-C");
  }

  Result<> generate(const std::string& path) {
    fmt::print("\n$ tripos generate --messages {} --seed {} > {}\n", generator.messages, generator.seed, path);
    TRIPOS_ASSIGN(exam::AttemptGenerator attempts, exam::AttemptGenerator::create(generator));
    std::ofstream output(path, std::ios::binary);
    while (!attempts.done()) output << attempts.next() << '\n';
    output.close();
    if (!output) return fail(ErrorCode::io, "{} can't be written", path);
    fmt::print("Generated {} messages of {} attempts.\n", grouped(attempts.tally().messages), grouped(attempts.tally().attempts));
    return {};
  }

  Result<> run(Session& session) {
    const auto started = std::chrono::steady_clock::now();
    catch_interrupts();
    std::string directory = session.global.data;
    if (directory.empty()) {
      TRIPOS_ASSIGN(directory, fresh_directory());
    }
    if (!file.empty() && access(file.c_str(), R_OK) != 0) return tl::unexpected(os_error(errno, "reading", file));
    const std::string exports = directory + "/demo";
    std::error_code failed;
    std::filesystem::create_directories(exports, failed);
    if (failed) return fail(ErrorCode::io, "making {}: {}", exports, failed.message());

    TRIPOS_ASSIGN(const std::unique_ptr<ChildServer> server, ChildServer::start(directory, {"--allow-files", exports}));
    client::StreamOptions stream;
    stream.cancelled = &interrupted();
    // The first question starts a worker: while messages are loaded, somebody else asks it.
    std::thread first_question([&] {
      client::HttpClient http(server->addresses().http, stream);
      static_cast<void>(fetch_rows(http, {.sql = "SELECT 1"}, 1));
    });
    Result<> outcome = job(*server, stream, exports);
    first_question.join();
    if (!outcome) return outcome;
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    fmt::print("\nAll of it took {:.2f} s.\n", seconds);
    next_commands(*server, directory);
    std::fflush(stdout);
    if (no_wait) return {};
    fmt::print("\nServing until Ctrl-C.\n");
    std::fflush(stdout);
    server->wait();
    return {};
  }

  Result<> job(const ChildServer& server, const client::StreamOptions& stream, const std::string& exports) {
    if (file.empty()) {
      file = exports + "/attempts.ndjson";
      TRIPOS_TRY(generate(file));
    }
    client::KafkaOptions options;
    options.stream = stream;
    TRIPOS_ASSIGN(client::KafkaConnection kafka, client::KafkaConnection::connect(server.addresses().kafka, options));
    const auto connect_http = [&]() -> Result<client::HttpClient> { return client::HttpClient(server.addresses().http, stream); };
    LoadConnections connections{.kafka = [&] { return client::KafkaConnection::connect(server.addresses().kafka, options); },
                                .http = connect_http};
    Pipeline pipeline(std::move(kafka), client::HttpClient(server.addresses().http, stream), std::move(connections),
                      {.file = file, .directory = exports});
    return pipeline.run();
  }

  void next_commands(const ChildServer& server, const std::string& directory) const {
    fmt::print("\nGo on with:\n  tripos sql --data {}\n  tripos report popularity --by attempts --data {}\n", directory, directory);
    if (no_wait) {
      fmt::print("  tripos serve --data {}\n", directory);
    } else {
      fmt::print("  kcat -C -b {} -t exams -o beginning -e\n", server.addresses().kafka.text());
    }
  }
};

}  // namespace

void add_demo(const Commands& root) { root.add<Demo>(); }

}  // namespace tripos::app
