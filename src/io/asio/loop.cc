#include "io/asio/loop.h"

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <csignal>
#include <mutex>
#include <thread>
#include <utility>

#include "base/check.h"
#include "io/real/descriptor_limit.h"
#include "io/timer_queue.h"

namespace tripos::io {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto accept_retry_delay = std::chrono::milliseconds(100);

MonotonicTime monotonic_now() { return MonotonicTime(std::chrono::steady_clock::now().time_since_epoch()); }

std::string text_of(const tcp::endpoint& endpoint) {
  const auto address = endpoint.address();
  return address.is_v6() ? fmt::format("[{}]:{}", address.to_string(), endpoint.port())
                         : fmt::format("{}:{}", address.to_string(), endpoint.port());
}

bool would_block(int errno_value) { return errno_value == EAGAIN || errno_value == EWOULDBLOCK || errno_value == EINTR; }

class AsioSocket final : public Socket {
 public:
  AsioSocket(tcp::socket socket, std::string peer) : socket_(std::move(socket)), peer_(std::move(peer)) {}

  Result<std::optional<std::size_t>> read(std::span<char> to) override {
    const ssize_t count = ::recv(socket_.native_handle(), to.data(), to.size(), MSG_DONTWAIT);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (would_block(errno)) return std::nullopt;
    return tl::unexpected(os_error(errno, "receiving", peer_));
  }

  Result<std::size_t> write(std::span<const Bytes> parts, bool more) override {
    std::array<iovec, write_parts_max> vectors;
    std::size_t used = 0;
    for (const Bytes part : parts.first(std::min(parts.size(), write_parts_max))) {
      vectors[used++] = {const_cast<char*>(part.data()), part.size()};  // NOLINT: iovec serves reading and writing
    }
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = used;
    return sent(::sendmsg(socket_.native_handle(), &message, MSG_DONTWAIT | MSG_NOSIGNAL | (more ? MSG_MORE : 0)));
  }

  Result<std::size_t> send_file(int descriptor, std::uint64_t position, std::size_t count) override {
    auto at = static_cast<off_t>(position);
    const ssize_t result = ::sendfile(socket_.native_handle(), descriptor, &at, count);
    if (result == 0 && count > 0) return fail(ErrorCode::corrupt, "file ends before position {}: it was cut while being sent", position);
    return sent(result);
  }

  void when_readable(Task task) override { wait(tcp::socket::wait_read, std::move(task)); }
  void when_writable(Task task) override { wait(tcp::socket::wait_write, std::move(task)); }

  const std::string& peer() const noexcept override { return peer_; }

 private:
  Result<std::size_t> sent(ssize_t result) const {
    if (result >= 0) return static_cast<std::size_t>(result);
    if (would_block(errno)) return 0;
    return tl::unexpected(os_error(errno, "sending", peer_));
  }

  void wait(tcp::socket::wait_type what, Task task) {
    socket_.async_wait(what, [task = std::move(task)](const error_code& error) {
      if (error != asio::error::operation_aborted) task();
    });
  }

  tcp::socket socket_;
  std::string peer_;
};

class AsioListener final : public Listener {
 public:
  AsioListener(tcp::acceptor acceptor, Network::Accepted accepted, std::function<void(const Error&)> turned_away)
      : shared_(std::make_shared<Shared>(std::move(acceptor), std::move(accepted), std::move(turned_away))) {
    Shared::accept(shared_);
  }
  AsioListener(const AsioListener&) = delete;
  AsioListener& operator=(const AsioListener&) = delete;
  ~AsioListener() override {
    shared_->stopped = true;
    error_code ignored;
    shared_->acceptor.close(ignored);
    shared_->retry.cancel(ignored);
  }

  Endpoint endpoint() const override {
    error_code error;
    const auto local = shared_->acceptor.local_endpoint(error);
    return {.host = local.address().to_string(), .port = local.port()};
  }

 private:
  // Outlives the listener until its last handler has run.
  struct Shared {
    Shared(tcp::acceptor acceptor_to_own, Network::Accepted accepted_to_call, std::function<void(const Error&)> turned_away_to_tell)
        : acceptor(std::move(acceptor_to_own)),
          retry(acceptor.get_executor()),
          accepted(std::move(accepted_to_call)),
          turned_away(std::move(turned_away_to_tell)) {}

    static void accept(const std::shared_ptr<Shared>& self) {
      self->acceptor.async_accept([self](const error_code& error, tcp::socket socket) {
        if (self->stopped) return;
        if (error) {  // out of descriptors, mostly: what is connected goes on, new ones wait in the backlog
          self->turn_away(error.value());
          self->retry.expires_after(accept_retry_delay);
          self->retry.async_wait([self](const error_code& cancelled) {
            if (!cancelled && !self->stopped) accept(self);
          });
          return;
        }
        self->take(std::move(socket));
        if (!self->stopped) accept(self);
      });
    }

    void take(tcp::socket socket) {
      error_code error;
      const auto peer = socket.remote_endpoint(error);
      if (error) return;                                                   // gone already
      if (is_for_files(socket.native_handle())) return turn_away(EMFILE);  // the log needs its files
      turning_away = false;
      socket.non_blocking(true, error);
      socket.set_option(tcp::no_delay(true), error);
      socket.set_option(asio::socket_base::keep_alive(true), error);
      accepted(std::make_unique<AsioSocket>(std::move(socket), text_of(peer)));
    }

    void turn_away(int error_number) {
      error_code error;
      const tcp::endpoint local = acceptor.local_endpoint(error);
      if (!std::exchange(turning_away, true) && turned_away)
        turned_away(os_error(error_number, "accepting connections at", text_of(local)));
    }

    tcp::acceptor acceptor;
    asio::steady_timer retry;
    Network::Accepted accepted;
    std::function<void(const Error&)> turned_away;
    bool turning_away = false;
    bool stopped = false;
  };
  std::shared_ptr<Shared> shared_;
};

}  // namespace

struct AsioLoop::State {
  asio::io_context context{1};
  asio::steady_timer timer{context};
  asio::signal_set signals{context};
  std::function<void(int)> stop_task;
  std::function<void(const Error&)> turned_away;
  TimerQueue calls;
  std::optional<MonotonicTime> armed;  // what `timer` waits for
  bool running_calls = false;
  std::atomic<std::thread::id> thread;
  std::mutex mutex;    // of `ended`, so that no task is posted behind the last look
  bool ended = false;  // run() is over: tasks are destroyed, not run

  void arm() {
    const auto due = calls.next_due();
    if (running_calls || !due || (armed && *armed <= *due)) return;
    armed = due;
    timer.expires_at(asio::steady_timer::time_point(due->time_since_epoch()));
    timer.async_wait([this](const error_code& error) {
      if (error) return;  // armed anew, or the loop ends
      armed.reset();
      running_calls = true;
      const auto now = monotonic_now();
      while (const auto call = calls.take_due(now)) (*call)();
      running_calls = false;
      arm();
    });
  }

  void wait_for_signal() {
    signals.async_wait([this](const error_code& error, int signal) {
      if (error) return;
      stop_task(signal);
      wait_for_signal();
    });
  }
};

AsioLoop::AsioLoop() : state_(std::make_unique<State>()) {}
AsioLoop::~AsioLoop() = default;

void AsioLoop::run() {
  state_->thread = std::this_thread::get_id();
  const auto work = asio::make_work_guard(state_->context);
  state_->context.run();
  {
    const std::lock_guard lock(state_->mutex);
    state_->ended = true;
  }
  // What was posted and has not run is destroyed now, so that nobody waits for it in vain.
  state_->context.restart();
  state_->context.poll();
  state_->thread = std::thread::id();
}

void AsioLoop::stop() { state_->context.stop(); }

void AsioLoop::on_stop_signal(std::function<void(int signal)> task) {
  state_->stop_task = std::move(task);
  error_code error;
  state_->signals.add(SIGINT, error);
  state_->signals.add(SIGTERM, error);
  state_->wait_for_signal();
}

void AsioLoop::post(Task task) {
  const std::lock_guard lock(state_->mutex);
  if (state_->ended) return;
  asio::post(state_->context, [state = state_.get(), task = std::move(task)] {
    if (!state->ended) task();  // read on the loop's thread, which wrote it
  });
}

TimerId AsioLoop::post_after(MonotonicClock::duration delay, Task task) {
  const TimerId id = state_->calls.add(monotonic_now() + delay, std::move(task));
  state_->arm();
  return id;
}

bool AsioLoop::cancel(TimerId timer) { return state_->calls.cancel(timer); }

bool AsioLoop::on_loop_thread() const noexcept { return state_->thread.load() == std::this_thread::get_id(); }

void AsioLoop::on_turned_away(std::function<void(const Error&)> told) { state_->turned_away = std::move(told); }

Result<std::unique_ptr<Listener>> AsioLoop::listen(const Endpoint& endpoint, Accepted accepted) {
  error_code error;
  tcp::resolver resolver(state_->context);
  const auto found = resolver.resolve(endpoint.host, std::to_string(endpoint.port), asio::ip::resolver_base::passive, error);
  if (error || found.empty()) return fail(ErrorCode::invalid_argument, "can't listen at {}: no such address", endpoint.host);
  const tcp::endpoint address = found.begin()->endpoint();
  tcp::acceptor acceptor(state_->context);
  if (!acceptor.open(address.protocol(), error)) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(address, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return tl::unexpected(os_error(error.value(), "listening", text_of(address)));
  return std::make_unique<AsioListener>(std::move(acceptor), std::move(accepted), state_->turned_away);
}

boost::asio::io_context& AsioLoop::context() noexcept { return state_->context; }

}  // namespace tripos::io
