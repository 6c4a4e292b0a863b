// HttpSession: one connection: reads a request, hands it to the handler, sends the answer, reads the next.
// While an answer is on its way it goes on watching the connection, so that a client that leaves cancels its question.
// Bounds: one request at a time, its size by HttpLimits; bytes of later ones up to `ahead_bytes_max`, then nothing is read; time to
// send a request, time without a request, time in which the client takes nothing of its answer.
// Threads: the loop's. Owned by the server; whatever runs later holds it weakly.
#pragma once

#include <functional>
#include <memory>

#include "io/executor.h"
#include "io/socket.h"
#include "serve/http_answer.h"
#include "serve/http_parser.h"

namespace tripos::serve {

struct HttpTimes {
  MonotonicClock::duration request_max = std::chrono::seconds(30);  // from a request's first byte to its last
  MonotonicClock::duration idle_max = std::chrono::seconds(120);    // between requests
  MonotonicClock::duration stalled_max = std::chrono::seconds(60);  // in which the client takes nothing
};

class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  using Handle = std::function<void(HttpRequest request, HttpResponder responder)>;
  using Closed = std::function<void(HttpSession* session)>;

  // `closed` is called once, when the connection has ended; the session may be destroyed in it.
  HttpSession(io::Executor& loop, std::unique_ptr<io::Socket> socket, HttpLimits limits, HttpTimes times, Handle handle, Closed closed);
  ~HttpSession();
  HttpSession(const HttpSession&) = delete;
  HttpSession& operator=(const HttpSession&) = delete;

  void start();
  // Ends after the answer that is on its way; at once if there is none.
  void finish();
  void close();

 private:
  static constexpr std::size_t ahead_bytes_max = std::size_t{64} << 10;

  void watch();
  void on_readable();
  void advance();
  void answer_malformed(const HttpParser::Malformed& malformed);
  void dispatch(HttpRequest request);
  [[nodiscard]] std::shared_ptr<HttpAnswer> make_answer(bool keep_alive, bool chunked);
  void flush();
  void finish_answer();
  void arm(MonotonicClock::duration time);

  io::Executor& loop_;
  std::unique_ptr<io::Socket> socket_;
  HttpParser parser_;
  HttpTimes times_;
  const std::shared_ptr<HttpConnection> connection_ = std::make_shared<HttpConnection>();
  Handle handle_;
  Closed closed_;
  Buffer received_;  // not yet parsed
  Buffer sending_;   // taken from the answer
  std::size_t sent_ = 0;
  std::shared_ptr<HttpAnswer> answer_;
  io::TimerId timer_ = io::no_timer;
  bool watching_ = false;
  bool waits_to_write_ = false;
  bool finishing_ = false;
  bool is_closed_ = false;
};

}  // namespace tripos::serve
