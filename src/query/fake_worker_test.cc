// A worker of the tests: this test program, started as `… worker --fd 3`, speaks the worker's side of the protocol and understands
// a few words in place of SQL.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <thread>

#include "json/reader.h"
#include "query/protocol/channel.h"
#include "query/protocol/messages.h"

namespace tripos::query {
namespace {

using protocol::ToServer;

class FakeWorker {
 public:
  explicit FakeWorker(int descriptor) : channel_(protocol::Descriptor(descriptor)) {}

  void run() {
    (void)receive();
    say(protocol::Ready{"fake"});
    while (true) {
      const auto frame = receive();
      const auto message = protocol::decode_to_worker(frame.body).value();
      if (const auto* statement = std::get_if<protocol::Statement>(&message)) answer(*statement);
      if (const auto* range = std::get_if<protocol::WriteRange>(&message)) write(*range);
    }
  }

 private:
  protocol::Frame receive() {
    auto frame = channel_.receive();
    if (!frame || !*frame) ::_exit(0);
    return std::move(**frame);
  }
  void say(const ToServer& message) {
    if (!channel_.send(protocol::encode(message))) ::_exit(0);
  }
  void finish(Buffer rows, std::uint64_t count) {
    say(protocol::Columns{{{"c", "string"}}});
    say(protocol::Rows{std::move(rows)});
    say(protocol::Done{count});
  }
  // Waits for the interrupt of this order, as a long statement would.
  void until_interrupted(std::uint64_t order) {
    while (true) {
      const auto frame = receive();
      const auto message = protocol::decode_to_worker(frame.body).value();
      const auto* interrupt = std::get_if<protocol::Interrupt>(&message);
      if (interrupt != nullptr && interrupt->order == order) return say(protocol::Failed{ErrorCode::cancelled, "interrupted"});
    }
  }

  void answer(const protocol::Statement& statement) {
    const std::string word = statement.text.substr(0, statement.text.find(' '));
    const std::string rest = statement.text.size() > word.size() ? statement.text.substr(word.size() + 1) : "";
    if (word == "die") ::raise(SIGKILL);
    if (word == "pid") return finish("[" + std::to_string(::getpid()) + "]", 1);
    if (word == "sleep") return until_interrupted(statement.order);
    if (word == "hang") {
      while (true) ::pause();
    }
    if (word == "error") return say(protocol::Failed{ErrorCode::query, rest});
    if (word == "spoil") return say(protocol::Failed{.code = ErrorCode::unavailable, .message = "spoilt", .worker_ends = true});
    if (word == "nonsense") {
      (void)channel_.send("\xff\xff");
      return;
    }
    if (word == "views") {
      Buffer text;
      for (const auto& view : statement.views) text += (text.empty() ? "[\"" : ",[\"") + view.name + "=" + view.text + "\"]";
      return finish(text, statement.views.size());
    }
    if (word == "create" || word == "drop") return change_view(word, rest);
    if (word == "flood") {
      say(protocol::Columns{{{"c", "string"}}});
      const int megabytes = std::stoi(rest);
      for (int i = 0; i < megabytes * 16; ++i) say(protocol::Rows{(i == 0 ? "[\"" : ",[\"") + Buffer(65530, 'x') + "\"]"});
      return say(protocol::Done{static_cast<std::uint64_t>(megabytes) * 16});
    }
    if (word == "break") {  // fails after the beginning of a large answer
      say(protocol::Columns{{{"c", "string"}}});
      say(protocol::Rows{"[\"" + Buffer(100000, 'x') + "\"]"});
      return say(protocol::Failed{ErrorCode::query, "broken in the middle"});
    }
    if (word == "offsets") return offsets(rest);
    say(protocol::Failed{ErrorCode::query, "what is " + word + "?"});
  }

  void change_view(const std::string& word, const std::string& name) {
    say(protocol::ViewChange{.kind = word == "drop" ? protocol::ViewChangeKind::drop : protocol::ViewChangeKind::create,
                             .name = name,
                             .text = word == "drop" ? "" : "text of " + name});
    const auto frame = receive();
    const auto message = protocol::decode_to_worker(frame.body).value();
    if (const auto* refused = std::get_if<protocol::Refused>(&message))
      return say(protocol::Failed{refused->code, "worker: " + refused->message});
    say(protocol::Done{0});
  }

  // Asks for tables (names, separated by spaces) and says what came: [name,files,begin,end,bytes readable through descriptors].
  void offsets(const std::string& names) {
    protocol::NeedTables need;
    for (std::size_t at = 0; at < names.size();) {
      const auto end = std::min(names.find(' ', at), names.size());
      need.names.push_back({"", names.substr(at, end - at)});
      at = end + 1;
    }
    say(need);
    const auto frame = receive();
    const auto message = protocol::decode_to_worker(frame.body).value();
    if (const auto* refused = std::get_if<protocol::Refused>(&message))
      return say(protocol::Failed{refused->code, "worker: " + refused->message});
    if (std::holds_alternative<protocol::Interrupt>(message)) return say(protocol::Failed{ErrorCode::cancelled, "interrupted"});
    const auto& pinned = std::get<protocol::Pinned>(message);
    Buffer text;
    for (const auto& table : pinned.tables) {
      for (const auto& range : table.ranges) {
        std::uint64_t bytes = 0;
        for (const auto& slice : range.slices) {
          Buffer content(slice.end - slice.begin, '\0');
          const int file = frame.descriptors.at(slice.descriptor).number();
          if (::pread(file, content.data(), content.size(), static_cast<off_t>(slice.begin)) == static_cast<ssize_t>(content.size()))
            bytes += content.size();
        }
        text +=
            (text.empty() ? "" : ",") + fmt::format(R"(["{}",{},{},{},{}])", table.name, table.files.size(), range.begin, range.end, bytes);
      }
    }
    finish(text, pinned.tables.size());
  }

  void write(const protocol::WriteRange& range) {
    if (range.topic == "bad") return say(protocol::Failed{ErrorCode::io, "can't write"});
    std::ofstream(range.path) << "rows of " << range.topic;
    say(protocol::Wrote{
        .row_count = range.range.end - range.range.begin, .rejected_count = 0, .tombstone_count = 0, .lost_count = 5, .file_bytes = 1});
    say(protocol::Done{0});
  }

  protocol::Channel channel_;
};

// Before main: the test runner must not see these arguments.
__attribute__((constructor)) void run_as_worker() {
  std::ifstream arguments("/proc/self/cmdline");
  std::string name;
  std::string verb;
  std::getline(arguments, name, '\0');
  std::getline(arguments, verb, '\0');
  if (verb != "worker") return;
  FakeWorker(3).run();
}

}  // namespace
}  // namespace tripos::query
