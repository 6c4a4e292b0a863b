#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <mutex>
#include <random>
#include <thread>

#include "base/check.h"
#include "io/sim/sim_loop.h"
#include "serve/http_server.h"
#include "serve/sql_answer.h"

namespace tripos::serve {
namespace {

using std::chrono::seconds;

// Both sides of a connection in memory: what the client has sent, and what it has been sent.
struct Wire {
  Buffer to_server;
  Buffer to_client;
  std::size_t room = SIZE_MAX;  // how much the client still takes
  bool client_ended = false;
  bool server_closed = false;
  io::Task readable;
  io::Task writable;
};

class FakeSocket final : public io::Socket {
 public:
  explicit FakeSocket(std::shared_ptr<Wire> wire) : wire_(std::move(wire)) {}
  ~FakeSocket() override {
    wire_->server_closed = true;
    wire_->readable = nullptr;
    wire_->writable = nullptr;
  }
  Result<std::optional<std::size_t>> read(std::span<char> to) override {
    if (wire_->to_server.empty()) return wire_->client_ended ? std::optional<std::size_t>(0) : std::nullopt;
    const std::size_t count = wire_->to_server.copy(to.data(), to.size());
    wire_->to_server.erase(0, count);
    return count;
  }
  Result<std::size_t> write(std::span<const Bytes> parts, bool /*more*/) override {
    const std::size_t count = std::min(parts[0].size(), wire_->room);
    wire_->to_client.append(parts[0].substr(0, count));
    wire_->room -= count;
    return count;
  }
  Result<std::size_t> send_file(int /*descriptor*/, std::uint64_t /*position*/, std::size_t /*count*/) override { return 0; }
  void when_readable(io::Task task) override { wire_->readable = std::move(task); }
  void when_writable(io::Task task) override { wire_->writable = std::move(task); }
  const std::string& peer() const noexcept override { return peer_; }

 private:
  std::shared_ptr<Wire> wire_;
  std::string peer_ = "127.0.0.1:1";
};

class FakeNetwork final : public io::Network {
 public:
  struct FakeListener final : io::Listener {
    io::Endpoint endpoint() const override { return {.host = "127.0.0.1", .port = 8080}; }
  };
  Result<std::unique_ptr<io::Listener>> listen(const io::Endpoint& /*endpoint*/, Accepted accepted) override {
    accepted_ = std::move(accepted);
    return std::make_unique<FakeListener>();
  }
  std::shared_ptr<Wire> connect() {
    const auto wire = std::make_shared<Wire>();
    accepted_(std::make_unique<FakeSocket>(wire));
    return wire;
  }

 private:
  Accepted accepted_;
};

// A SimLoop that other threads may post to, as the server's writers do.
class OpenLoop final : public io::Executor {
 public:
  void run() {
    for (bool any = true; any;) {
      std::deque<io::Task> posted;
      {
        const std::lock_guard lock(mutex_);
        posted.swap(posted_);
      }
      any = !posted.empty();
      for (io::Task& task : posted) loop_.post(std::move(task));
      loop_.run();
    }
  }
  void advance(MonotonicClock::duration time) {
    run();
    loop_.advance(time);
    run();
  }
  void post(io::Task task) override {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(task));
  }
  [[nodiscard]] io::TimerId post_after(MonotonicClock::duration delay, io::Task task) override {
    return loop_.post_after(delay, std::move(task));
  }
  bool cancel(io::TimerId timer) override { return loop_.cancel(timer); }

 private:
  io::SimLoop loop_;
  std::mutex mutex_;
  std::deque<io::Task> posted_;
};

class ServeTest : public testing::Test {
 protected:
  ServeTest() { CHECK(server_.listen({}).has_value()); }

  std::vector<HttpRoute> routes() {
    return {{"GET", "/hello", [](const HttpRequest&, const HttpResponder& responder) { responder->send({}, "hello"); }},
            {"POST", "/echo", [](const HttpRequest& request, const HttpResponder& responder) { responder->send({}, request.body); }},
            {"GET", "/parameter",
             [](const HttpRequest& request, const HttpResponder& responder) { responder->send({}, request.parameters.at("a b")); }},
            {"GET", "/later", [this](const HttpRequest&, const HttpResponder& responder) { later_ = responder; }}};
  }

  // Lets everything happen that can, timers excepted.
  void settle(Wire& wire) {
    while (true) {
      loop_.run();
      if (wire.readable && (!wire.to_server.empty() || wire.client_ended)) {
        std::exchange(wire.readable, nullptr)();
      } else if (wire.writable && wire.room > 0) {
        std::exchange(wire.writable, nullptr)();
      } else {
        return;
      }
    }
  }
  std::string exchange(const std::shared_ptr<Wire>& wire, std::string_view text) {
    wire->to_server.append(text);
    settle(*wire);
    return std::exchange(wire->to_client, Buffer());
  }
  static std::string get(std::string_view path) { return fmt::format("GET {} HTTP/1.1\r\nHost: localhost:8080\r\n\r\n", path); }

  OpenLoop loop_;
  FakeNetwork network_;
  HttpResponder later_;
  HttpServer server_{
      loop_, network_, routes(), {.limits = {.header_bytes_max = 1000, .body_bytes_max = 5000}, .times = {}, .connection_count_max = 3}};
};

TEST_F(ServeTest, AnswersAndKeepsTheConnection) {
  const auto wire = network_.connect();
  for (int i = 0; i < 2; ++i) {
    const std::string answer = exchange(wire, get("/hello"));
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
    EXPECT_TRUE(answer.ends_with("Content-Length: 5\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n\r\nhello")) << answer;
  }
  EXPECT_FALSE(wire->server_closed);
}

TEST_F(ServeTest, RequestsMayComeByteByByteAndManyAtOnce) {
  const auto wire = network_.connect();
  const std::string post = "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 7\r\n\r\nstatem.";
  std::string answers;
  for (const char byte : post) answers += exchange(wire, std::string(1, byte));
  EXPECT_TRUE(answers.ends_with("\r\n\r\nstatem.")) << answers;
  answers = exchange(wire, get("/hello") + post + get("/hello"));
  EXPECT_NE(answers.find("hello"), std::string::npos);
  EXPECT_NE(answers.find("statem."), std::string::npos);
  EXPECT_TRUE(answers.ends_with("hello"));
}

TEST_F(ServeTest, ChunkedBodiesParametersAndContinue) {
  const auto wire = network_.connect();
  const std::string interim =
      exchange(wire, "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(interim, "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_TRUE(exchange(wire, "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n").ends_with("abcde"));
  EXPECT_TRUE(exchange(wire, get("/parameter?x=1&a%20b=c+%C3%A9")).ends_with("c é"));
}

// Wherever the connection's bytes are cut: between its pieces the parser has seen what came before.
TEST_F(ServeTest, ChunkedBodiesInAnyPieces) {
  const std::string head = "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string body : {"", "3\r\nabc\r\n", "3\r\nabc\r\n2\r\nde\r\n"}) {
    for (const std::string end : {"0\r\n\r\n", "0\r\nTrailer: x\r\n\r\n"}) {
      const std::string request = head + body + end;
      const std::string expected = body.empty() ? "" : body.size() < 10 ? "abc" : "abcde";
      for (std::size_t first = head.size() - 2; first < request.size(); ++first) {
        for (std::size_t second = first + 1; second < request.size(); ++second) {
          SCOPED_TRACE(testing::Message() << request.substr(head.size()) << " cut at " << first << " and " << second);
          const auto wire = network_.connect();
          std::string answer = exchange(wire, request.substr(0, first));
          answer += exchange(wire, request.substr(first, second - first));
          EXPECT_EQ(answer, "");
          answer = exchange(wire, request.substr(second));
          EXPECT_TRUE(answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\n" + expected)) << answer;
          wire->client_ended = true;
          settle(*wire);
        }
      }
    }
  }
}

TEST_F(ServeTest, WrongRequestsGetTheirStatus) {
  const auto status = [this](const std::string& request) {
    const auto wire = network_.connect();
    const std::string answer = exchange(wire, request);
    wire->client_ended = true;
    settle(*wire);
    return answer.substr(0, answer.find("\r\n"));
  };
  EXPECT_EQ(status(get("/nothing")), "HTTP/1.1 404 Not Found");
  EXPECT_EQ(status("DELETE /echo HTTP/1.1\r\nHost: localhost\r\n\r\n"), "HTTP/1.1 405 Method Not Allowed");
  EXPECT_EQ(status("hello\r\n\r\n"), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(status("GET /%zz HTTP/1.1\r\n\r\n"), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(status("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5001\r\n\r\n"), "HTTP/1.1 413 Content Too Large");
  EXPECT_EQ(status("GET /hello HTTP/1.1\r\nX: " + std::string(2000, 'x') + "\r\n\r\n"), "HTTP/1.1 431 Request Header Fields Too Large");
  EXPECT_EQ(status("GET /hello HTTP/1.1\r\nX: " + std::string(2000, 'x')), "HTTP/1.1 431 Request Header Fields Too Large");
  const std::string chunked = "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(status(chunked + "3;" + std::string(2000, 'x')), "HTTP/1.1 431 Request Header Fields Too Large") << "a chunk's header";
  EXPECT_EQ(status(chunked + "0\r\nX: " + std::string(2000, 'x')), "HTTP/1.1 431 Request Header Fields Too Large") << "a trailer";
  EXPECT_EQ(status("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
            "HTTP/1.1 400 Bad Request");
}

TEST_F(ServeTest, ForeignPagesAndNamesAreRefused) {
  const auto wire = network_.connect();
  EXPECT_TRUE(exchange(wire, "GET /hello HTTP/1.1\r\nHost: evil.example\r\n\r\n").starts_with("HTTP/1.1 403"));
  EXPECT_TRUE(exchange(wire, "GET /hello HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n\r\n").starts_with("HTTP/1.1 403"));
  EXPECT_TRUE(exchange(wire, "GET /hello HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n").starts_with("HTTP/1.1 200"));
  EXPECT_TRUE(
      exchange(wire, "GET /hello HTTP/1.1\r\nHost: localhost:8080\r\nOrigin: http://evil.example\r\n\r\n").starts_with("HTTP/1.1 403"));
  EXPECT_TRUE(
      exchange(wire, "GET /hello HTTP/1.1\r\nHost: localhost:8080\r\nOrigin: http://localhost:8080\r\n\r\n").starts_with("HTTP/1.1 200"));
}

TEST_F(ServeTest, AStreamIsChunkedAndASlowReaderHoldsItsWriterBack) {
  const auto wire = network_.connect();
  wire->room = 100;
  (void)exchange(wire, get("/later"));
  ASSERT_TRUE(later_);
  std::atomic<int> written = 0;
  std::thread writer([this, &written] {
    later_->begin({});
    for (int i = 0; i < 100; ++i) {
      if (!later_->write(Buffer(100'000, 'x'))) return;
      ++written;
    }
    later_->finish();
    later_.reset();
  });
  for (int i = 0; i < 50; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  settle(*wire);
  EXPECT_LE(written, 12);  // about a megabyte waits, and no more
  wire->room = SIZE_MAX;
  Buffer all;
  while (written < 100 || !all.ends_with("0\r\n\r\n")) {
    settle(*wire);
    all += std::exchange(wire->to_client, Buffer());
    std::this_thread::yield();
  }
  writer.join();
  EXPECT_NE(all.find("Transfer-Encoding: chunked"), std::string::npos);
  EXPECT_GT(all.size(), 10'000'000U);
  EXPECT_FALSE(wire->server_closed);
}

TEST_F(ServeTest, AClientThatLeavesCancelsItsQuestion) {
  const auto wire = network_.connect();
  (void)exchange(wire, get("/later"));
  EXPECT_FALSE(later_->cancellation().cancelled());
  wire->client_ended = true;
  settle(*wire);
  EXPECT_TRUE(later_->cancellation().cancelled());
  EXPECT_FALSE(later_->write("x").has_value());
  EXPECT_EQ(server_.connection_count(), 0U);
  later_.reset();
  loop_.run();
}

TEST_F(ServeTest, AClientThatTakesNothingIsCutOff) {
  const auto wire = network_.connect();
  wire->room = 10;
  (void)exchange(wire, get("/later"));
  later_->begin({});
  ASSERT_TRUE(later_->write("some rows").has_value());
  settle(*wire);
  loop_.advance(seconds(59));
  EXPECT_FALSE(wire->server_closed);
  loop_.advance(seconds(62));
  EXPECT_TRUE(wire->server_closed);
  EXPECT_FALSE(later_->write("more").has_value());
}

TEST_F(ServeTest, ALongQuestionIsNoStall) {
  const auto wire = network_.connect();
  (void)exchange(wire, get("/later"));
  loop_.advance(seconds(1000));
  EXPECT_FALSE(wire->server_closed);
  later_->send({}, "done");
  EXPECT_TRUE(exchange(wire, "").ends_with("done"));
}

TEST_F(ServeTest, SlowRequestsAndIdleConnectionsEnd) {
  const auto slow = network_.connect();
  (void)exchange(slow, "GET /he");
  loop_.advance(seconds(31));
  EXPECT_TRUE(slow->server_closed);
  const auto idle = network_.connect();
  (void)exchange(idle, get("/hello"));
  loop_.advance(seconds(121));
  EXPECT_TRUE(idle->server_closed);
}

TEST_F(ServeTest, AnAnswerThatIsDroppedIsSeenToBeCutOff) {
  const auto wire = network_.connect();
  (void)exchange(wire, get("/later"));
  later_->begin({});
  ASSERT_TRUE(later_->write("half").has_value());
  later_.reset();
  const std::string answer = exchange(wire, "");
  EXPECT_NE(answer.find("half"), std::string::npos);
  EXPECT_EQ(answer.find("0\r\n\r\n"), std::string::npos);
  EXPECT_TRUE(wire->server_closed);
}

TEST_F(ServeTest, AStopLetsAnswersEndAndThenEndsThem) {
  const auto idle = network_.connect();
  const auto busy = network_.connect();
  const auto stuck = network_.connect();
  (void)exchange(busy, get("/later"));
  const HttpResponder first = std::exchange(later_, nullptr);
  (void)exchange(stuck, get("/later"));
  bool stopped = false;
  server_.stop(seconds(5), [&stopped] { stopped = true; });
  loop_.run();
  EXPECT_TRUE(idle->server_closed);
  EXPECT_FALSE(stopped);
  first->send({}, "last words");
  EXPECT_TRUE(exchange(busy, "").ends_with("last words"));
  EXPECT_TRUE(busy->server_closed);
  loop_.advance(seconds(6));
  EXPECT_TRUE(stuck->server_closed);
  EXPECT_TRUE(later_->cancellation().cancelled());
  EXPECT_TRUE(stopped);
}

TEST_F(ServeTest, TooManyConnectionsAreNotTaken) {
  std::vector<std::shared_ptr<Wire>> wires;
  for (int i = 0; i < 4; ++i) wires.push_back(network_.connect());
  EXPECT_TRUE(wires[3]->server_closed);
  EXPECT_EQ(server_.connection_count(), 3U);
}

TEST_F(ServeTest, RandomBytesNeverCrash) {
  std::mt19937 random(7);
  const std::string good = "POST /echo?a=b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc";
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = good;
    for (int i = 0; i < 4; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
    const auto wire = network_.connect();
    (void)exchange(wire, bytes);
    wire->client_ended = true;
    settle(*wire);
  }
  EXPECT_EQ(server_.connection_count(), 0U);
}

class SqlAnswerTest : public ServeTest {
 protected:
  std::string answer(const std::function<void(SqlAnswer&)>& write, protocol::Output output = protocol::Output::json) {
    const auto wire = network_.connect();
    (void)exchange(wire, get("/later"));
    std::thread writer([&] {
      SqlAnswer sql(std::exchange(later_, nullptr), output);
      write(sql);
    });
    writer.join();
    const std::string text = exchange(wire, "");
    wire->client_ended = true;
    settle(*wire);
    return text;
  }
  static void begin(SqlAnswer& sql) {
    const protocol::Column column{.name = "n", .type = "bigint"};
    ASSERT_TRUE(sql.columns({&column, 1}).has_value());
  }
};

TEST_F(SqlAnswerTest, AShortAnswerIsWhole) {
  const std::string text = answer([](SqlAnswer& sql) {
    begin(sql);
    ASSERT_TRUE(sql.rows("[1],[2]").has_value());
    sql.end(query::Answer{});
  });
  EXPECT_TRUE(text.ends_with("\r\n\r\n{\"columns\":[{\"name\":\"n\",\"type\":\"bigint\"}],\"rows\":[[1],[2]],\"as_of\":{\"tables\":[]}}\n"))
      << text;
  EXPECT_NE(text.find("Content-Length"), std::string::npos);
}

TEST_F(SqlAnswerTest, AnErrorBeforeAnythingWasSentIsAStatus) {
  const std::string text = answer([](SqlAnswer& sql) {
    begin(sql);
    sql.end(fail(ErrorCode::not_found, "no \"table\""));
  });
  EXPECT_TRUE(text.starts_with("HTTP/1.1 404")) << text;
  EXPECT_TRUE(text.ends_with("{\"error\":{\"code\":\"not_found\",\"message\":\"no \\\"table\\\"\"}}\n")) << text;
}

TEST_F(SqlAnswerTest, AnErrorAfterTheBeginningEndsTheObject) {
  const std::string text = answer([](SqlAnswer& sql) {
    begin(sql);
    ASSERT_TRUE(sql.rows("[\"" + Buffer(50'000, 'x') + "\"]").has_value());
    sql.end(fail(ErrorCode::timed_out, "late"));
  });
  EXPECT_TRUE(text.starts_with("HTTP/1.1 200")) << text.substr(0, 50);
  EXPECT_NE(text.find("],\"error\":{\"code\":\"timed_out\",\"message\":\"late\"}}\n"), std::string::npos);
}

TEST_F(SqlAnswerTest, ABrokenParquetFileHasNoEnd) {
  const std::string text = answer(
      [](SqlAnswer& sql) {
        begin(sql);
        ASSERT_TRUE(sql.parquet(Buffer(50'000, 'x')).has_value());
        sql.end(fail(ErrorCode::timed_out, "late"));
      },
      protocol::Output::parquet);
  EXPECT_NE(text.find("application/vnd.apache.parquet"), std::string::npos);
  EXPECT_EQ(text.find("0\r\n\r\n"), std::string::npos);
}

TEST_F(SqlAnswerTest, AStatementWithoutResultIsAnEmptyTable) {
  EXPECT_TRUE(
      answer([](SqlAnswer& sql) { sql.end(query::Answer{}); }).ends_with("{\"columns\":[],\"rows\":[],\"as_of\":{\"tables\":[]}}\n"));
}

}  // namespace
}  // namespace tripos::serve
