#include "query/worker_process.h"

#include <spawn.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

extern char** environ;

namespace tripos::query {

namespace {

constexpr int worker_descriptor = 3;
constexpr int send_timeout_s = 10;

// The options of a new process: its own group, default signals, nothing inherited but standard output and the socket.
class SpawnOptions {
 public:
  explicit SpawnOptions(int socket) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_adddup2(&actions_, socket, worker_descriptor);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", 0, 0);
    posix_spawn_file_actions_adddup2(&actions_, STDERR_FILENO, STDOUT_FILENO);  // standard output belongs to the command's answer
    // Asio's sockets are not closed on exec: a worker that had them would hold the port and the connections of a server that is gone.
    posix_spawn_file_actions_addclosefrom_np(&actions_, worker_descriptor + 1);
    posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes_, &none);
    sigset_t all;
    sigfillset(&all);
    sigdelset(&all, SIGKILL);
    sigdelset(&all, SIGSTOP);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnOptions() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnOptions(const SpawnOptions&) = delete;
  SpawnOptions& operator=(const SpawnOptions&) = delete;

  [[nodiscard]] const posix_spawn_file_actions_t* actions() const { return &actions_; }
  [[nodiscard]] const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

}  // namespace

WorkerProcess::WorkerProcess(io::FileSystem& files, protocol::Descriptor socket, std::string temporary_directory)
    : files_(files), channel_(std::move(socket)), temporary_directory_(std::move(temporary_directory)) {}

Result<std::unique_ptr<WorkerProcess>> WorkerProcess::start(io::FileSystem& files, const WorkerSettings& settings, protocol::Role role,
                                                            const std::string& name) {
  const std::string temporary_directory = fmt::format("{}/{}", settings.temporary_root, name);
  TRIPOS_TRY(io::remove_tree(files, temporary_directory));
  TRIPOS_TRY(files.make_directories(temporary_directory));
  TRIPOS_ASSIGN(auto ends, protocol::Channel::socket_pair());
  // A worker that does not read must not hold its server: what can't be sent in this time is an error.
  const timeval send_timeout{.tv_sec = send_timeout_s, .tv_usec = 0};
  if (::setsockopt(ends.first.number(), SOL_SOCKET, SO_SNDTIMEO, &send_timeout, sizeof send_timeout) != 0) {
    return tl::unexpected(os_error(errno, "setting up", "a worker's socket"));
  }
  std::unique_ptr<WorkerProcess> worker(new WorkerProcess(files, std::move(ends.first), temporary_directory));

  std::string descriptor = fmt::format("{}", worker_descriptor);
  std::array<std::string, 4> words = {"tripos", "worker", "--fd", descriptor};
  std::array<char*, 5> arguments = {words[0].data(), words[1].data(), words[2].data(), words[3].data(), nullptr};
  const SpawnOptions options(ends.second.number());
  pid_t pid = -1;
  const int failed = ::posix_spawn(&pid, settings.program.c_str(), options.actions(), options.attributes(), arguments.data(), environ);
  if (failed != 0) return tl::unexpected(os_error(failed, "starting a worker", settings.program));
  worker->pid_ = pid;
  ends.second = protocol::Descriptor();  // so that the worker's end is seen here

  const protocol::Configure configure{.protocol_version = protocol::version,
                                      .role = role,
                                      .memory_bytes_max = settings.memory_bytes_max,
                                      .thread_count = settings.thread_count,
                                      .nice = settings.nice,
                                      .temporary_directory = temporary_directory,
                                      .allowed_paths = settings.allowed_paths,
                                      .table_directory = settings.table_directory};
  TRIPOS_TRY(worker->channel_.send(encode(protocol::ToWorker(configure))));
  return worker;
}

WorkerProcess::~WorkerProcess() {
  end();
  (void)io::remove_tree(files_, temporary_directory_);  // what is left is removed by the next start
}

Result<> WorkerProcess::await_ready(std::chrono::milliseconds timeout) {
  if (ready_) return {};
  TRIPOS_ASSIGN(const auto frame, channel_.receive(timeout));
  if (!frame) return fail(ErrorCode::unavailable, "a worker ended before it was ready: {}", end());
  TRIPOS_ASSIGN(const auto message, protocol::decode_to_server(frame->body));
  if (const auto* failed = std::get_if<protocol::Failed>(&message)) return fail(failed->code, "a worker can't start: {}", failed->message);
  if (!std::holds_alternative<protocol::Ready>(message)) return fail(ErrorCode::malformed, "a worker did not begin with Ready");
  ready_ = true;
  return {};
}

bool WorkerProcess::running() {
  if (reaped_ || pid_ < 0) return false;
  if (::waitpid(pid_, &status_, WNOHANG) == pid_) reaped_ = true;
  return !reaped_;
}

std::string WorkerProcess::end() {
  if (pid_ < 0) return "it never ran";
  // What happened before this call is what the caller wants to know; a moment for one whose socket has just closed.
  for (int i = 0; i < 20 && running(); ++i) {
    const auto frame = channel_.receive(std::chrono::milliseconds(0));
    if (frame && *frame) break;                                       // it lives and talks
    if (!frame && frame.error().code == ErrorCode::timed_out) break;  // it lives and is silent
    ::usleep(1000);
  }
  const bool by_us = running();
  if (by_us) {
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, &status_, 0) < 0 && errno == EINTR) {
    }
    reaped_ = true;
  }
  channel_.shut_down();
  if (by_us) return "ended by the server";
  if (WIFSIGNALED(status_)) return fmt::format("killed by signal {} ({})", WTERMSIG(status_), ::strsignal(WTERMSIG(status_)));
  return fmt::format("exit code {}", WEXITSTATUS(status_));
}

}  // namespace tripos::query
