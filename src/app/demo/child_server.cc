#include "app/demo/child_server.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "app/cli/interrupt.h"

namespace tripos::app {

Result<std::unique_ptr<ChildServer>> ChildServer::start(const std::string& data, const std::vector<std::string>& more_arguments) {
  int pipe_ends[2];
  if (pipe2(pipe_ends, O_CLOEXEC) != 0) return tl::unexpected(os_error(errno, "making", "a pipe"));
  std::vector<std::string> words = {"tripos", "serve", "--data", data, "--kafka", "127.0.0.1:0", "--http", "127.0.0.1:0"};
  words.insert(words.end(), more_arguments.begin(), more_arguments.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) {  // only calls that are safe after fork
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(1);
    setpgid(0, 0);  // Ctrl-C in the terminal is the parent's to handle
    dup2(pipe_ends[1], STDOUT_FILENO);
    execv("/proc/self/exe", arguments.data());
    _exit(127);
  }
  close(pipe_ends[1]);
  if (pid < 0) {
    close(pipe_ends[0]);
    return tl::unexpected(os_error(errno, "starting", "the server"));
  }
  std::unique_ptr<ChildServer> server(new ChildServer(pid));
  const Result<> told = server->read_addresses(pipe_ends[0]);
  close(pipe_ends[0]);
  if (!told) return tl::unexpected(told.error());
  return server;
}

// What serve prints: a line "kafka HOST:PORT", a line "http  HOST:PORT".
Result<> ChildServer::read_addresses(int descriptor) {
  std::string text;
  char block[512];
  const auto value_of = [&](std::string_view key) {
    const std::size_t at = text.find(key);
    const std::size_t begin = at + key.size();
    const std::size_t end = at == std::string::npos ? at : text.find('\n', begin);
    return end == std::string::npos ? std::string() : text.substr(begin, end - begin);
  };
  while (value_of("\nhttp  ").empty()) {
    const ssize_t count = read(descriptor, block, sizeof block);
    if (count < 0 && errno == EINTR && !interrupted()) continue;
    if (count <= 0) return fail(ErrorCode::unavailable, "the server did not start");
    text.append(block, static_cast<std::size_t>(count));
  }
  TRIPOS_ASSIGN(addresses_.kafka, client::Address::parse(value_of("\nkafka ")));
  TRIPOS_ASSIGN(addresses_.http, client::Address::parse(value_of("\nhttp  ")));
  return {};
}

void ChildServer::wait() {
  while (!ended_ && !interrupted()) {
    int status = 0;
    ended_ = waitpid(pid_, &status, 0) == pid_;
  }
}

ChildServer::~ChildServer() {
  if (ended_) return;
  kill(pid_, SIGTERM);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace tripos::app
