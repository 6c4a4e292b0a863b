// Sessions over a socket that the test holds both ends of.
#include "broker/net/session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "broker/net/server.h"
#include "broker/testing.h"
#include "wire/metadata.h"

namespace tripos::broker {
namespace {

// What the client sent and got; and how much the kernel would take.
struct Wire {
  Buffer to_server;
  Buffer to_client;
  bool client_closed = false;
  bool server_closed = false;
  std::size_t room = std::size_t{1} << 30;  // of the socket's buffer
  std::size_t read_calls = 0;
  io::Task readable;
  io::Task writable;
};

class TestSocket final : public io::Socket {
 public:
  TestSocket(std::shared_ptr<Wire> wire, io::Executor& executor) : wire_(std::move(wire)), executor_(executor) {}
  ~TestSocket() override {
    wire_->server_closed = true;
    wire_->readable = nullptr;
    wire_->writable = nullptr;
  }
  Result<std::optional<std::size_t>> read(std::span<char> to) override {
    ++wire_->read_calls;
    if (wire_->to_server.empty()) {
      if (wire_->client_closed) return std::size_t{0};
      return std::nullopt;
    }
    const std::size_t count = std::min(to.size(), wire_->to_server.size());
    std::copy_n(wire_->to_server.begin(), count, to.begin());
    wire_->to_server.erase(0, count);
    return count;
  }
  Result<std::size_t> write(std::span<const Bytes> parts, bool /*more*/) override {
    std::size_t written = 0;
    for (const Bytes part : parts) {
      const std::size_t count = std::min(part.size(), wire_->room);
      wire_->to_client.append(part.substr(0, count));
      wire_->room -= count;
      written += count;
    }
    return written;
  }
  Result<std::size_t> send_file(int, std::uint64_t, std::size_t) override {
    return fail(tripos::ErrorCode::unsupported, "no descriptors here");
  }
  void when_readable(io::Task task) override {
    wire_->readable = std::move(task);
    poke(*wire_, executor_);
  }
  void when_writable(io::Task task) override {
    wire_->writable = std::move(task);
    poke(*wire_, executor_);
  }
  const std::string& peer() const noexcept override { return peer_; }

  // The readiness that epoll would tell.
  static void poke(Wire& wire, io::Executor& executor) {
    if (wire.readable && (!wire.to_server.empty() || wire.client_closed)) executor.post(std::exchange(wire.readable, nullptr));
    if (wire.writable && wire.room > 0) executor.post(std::exchange(wire.writable, nullptr));
  }

 private:
  std::shared_ptr<Wire> wire_;
  io::Executor& executor_;
  std::string peer_ = "10.0.0.7:4711";
};

class TestNetwork final : public io::Network {
 public:
  class TestListener final : public io::Listener {
   public:
    io::Endpoint endpoint() const override { return {.host = "127.0.0.1", .port = 9092}; }
  };
  Result<std::unique_ptr<io::Listener>> listen(const io::Endpoint&, Accepted given) override {
    accepted = std::move(given);
    return std::make_unique<TestListener>();
  }
  Accepted accepted;
};

class SessionTest : public testing::Test {
 protected:
  void start(ConfigValues config = {}) {
    test_ = std::make_unique<TestBroker>(std::move(config));
    auto server = Server::start(test_->broker(), network_, {.host = "127.0.0.1", .port = 0});
    ASSERT_TRUE(server.has_value());
    server_ = std::move(*server);
  }
  void TearDown() override {
    server_.reset();
    test_.reset();
  }

  std::shared_ptr<Wire> connect() {
    auto wire = std::make_shared<Wire>();
    network_.accepted(std::make_unique<TestSocket>(wire, test_->loop()));
    return wire;
  }
  void send(Wire& wire, Bytes bytes) {
    wire.to_server.append(bytes);
    TestSocket::poke(wire, test_->loop());
    test_->run();
  }
  template <typename Request>
  static Buffer frame(const Request& request, std::int16_t version, std::int32_t correlation_id) {
    return *wire::encode_request_frame(request, version, correlation_id, "test").flatten();
  }
  // The correlation ids of the responses that have come, as far as they are whole.
  static std::vector<std::int32_t> answered(const Wire& wire) {
    std::vector<std::int32_t> ids;
    Bytes left = wire.to_client;
    while (left.size() >= 8) {
      const auto size = static_cast<std::size_t>(load_be<std::int32_t>(left.data()));
      if (left.size() < 4 + size) break;
      ids.push_back(load_be<std::int32_t>(left.data() + 4));
      left.remove_prefix(4 + size);
    }
    return ids;
  }

  TestNetwork network_;
  std::unique_ptr<TestBroker> test_;
  std::unique_ptr<Server> server_;
};

TEST_F(SessionTest, AnswersInTheOrderOfRequests) {
  start();
  test_->create_topic("t");
  const auto wire = connect();
  // The fetch waits; the metadata behind it is known at once, and waits its turn.
  send(*wire, frame(TestBroker::fetch_request("t", 0, 60'000), 11, 1) + frame(wire::MetadataRequest{}, 1, 2));
  EXPECT_EQ(answered(*wire), std::vector<std::int32_t>{});
  (void)test_->produce("t", batch_of({"a"}));
  EXPECT_EQ(answered(*wire), (std::vector<std::int32_t>{1, 2}));
}

TEST_F(SessionTest, FramesComeInSlicesOfAnySize) {
  start();
  const auto wire = connect();
  const Buffer frames = frame(wire::MetadataRequest{}, 1, 1) + frame(wire::MetadataRequest{}, 1, 2);
  for (const char byte : frames) send(*wire, Bytes(&byte, 1));
  EXPECT_EQ(answered(*wire), (std::vector<std::int32_t>{1, 2}));
}

TEST_F(SessionTest, WhatIsNoRequestEndsTheConnectionAndIsTold) {
  start({{"socket.request.max.bytes", "1000"}});
  const auto large = connect();
  send(*large, Bytes("\x00\x00\x03\xe9", 4));
  EXPECT_TRUE(large->server_closed);
  const auto negative = connect();
  send(*negative, Bytes("\xff\xff\xff\xff", 4));
  EXPECT_TRUE(negative->server_closed);
  const auto broken = connect();
  send(*broken, Bytes("\x00\x00\x00\x02\x00\x03", 6));
  EXPECT_TRUE(broken->server_closed);
  ASSERT_EQ(test_->warnings().size(), 3U);
  EXPECT_NE(test_->warnings().at(0).find("10.0.0.7:4711"), std::string::npos);
  EXPECT_EQ(server_->session_count(), 0U);
}

TEST_F(SessionTest, AnswersBeforeABrokenRequestAreSent) {
  start();
  const auto wire = connect();
  send(*wire, frame(wire::MetadataRequest{}, 1, 1) + Buffer("\x00\x00\x00\x02\x00\x03", 6));
  EXPECT_EQ(answered(*wire), (std::vector<std::int32_t>{1}));
  EXPECT_TRUE(wire->server_closed);
}

TEST_F(SessionTest, AClientThatDoesNotReadIsReadNoMore) {
  start({{"queued.max.request.bytes", "20000"}});
  for (int i = 0; i < 20; ++i) test_->create_topic("topic-with-a-long-name-" + std::to_string(i));
  const auto wire = connect();
  wire->room = 1000;
  Buffer frames;
  for (std::int32_t i = 0; i < 2000; ++i) frames += frame(wire::MetadataRequest{}, 1, i);
  const std::size_t sent = frames.size();
  send(*wire, frames);
  EXPECT_EQ(wire->to_client.size(), 1000U);
  EXPECT_GT(wire->to_server.size() + (64 << 10), sent - sent / 10);              // all but one slice lies where it was
  while (wire->to_client.size() < 1'000'000 && answered(*wire).size() < 2000) {  // the client reads again
    wire->room = 1 << 20;
    TestSocket::poke(*wire, test_->loop());
    test_->run();
    if (answered(*wire).size() == 2000) break;
  }
  std::vector<std::int32_t> expected(2000);
  for (std::int32_t i = 0; i < 2000; ++i) expected[static_cast<std::size_t>(i)] = i;
  EXPECT_EQ(answered(*wire), expected);
}

TEST_F(SessionTest, RequestsUnderWayAreBounded) {
  start({{"queued.max.requests", "3"}});
  test_->create_topic("t");
  const auto wire = connect();
  Buffer frames;
  for (std::int32_t i = 0; i < 5; ++i) frames += frame(TestBroker::fetch_request("t", 0, 1000), 11, i);
  send(*wire, frames);
  test_->advance(std::chrono::milliseconds(1000));
  EXPECT_EQ(answered(*wire), (std::vector<std::int32_t>{0, 1, 2}));
  test_->advance(std::chrono::milliseconds(1000));
  EXPECT_EQ(answered(*wire), (std::vector<std::int32_t>{0, 1, 2, 3, 4}));
}

// A slice that was left because too much was under way comes before what the socket has next, also if its answers are sent at once.
TEST_F(SessionTest, MoreThanMayBeUnderWayIsTakenInOrder) {
  start({{"queued.max.requests", "3"}});
  const auto wire = connect();
  Buffer frames;
  for (std::int32_t i = 0; i < 5000; ++i) frames += frame(wire::MetadataRequest{}, 1, i);
  ASSERT_GT(frames.size(), std::size_t{100} << 10);  // several slices
  send(*wire, frames);
  std::vector<std::int32_t> expected(5000);
  for (std::int32_t i = 0; i < 5000; ++i) expected[static_cast<std::size_t>(i)] = i;
  EXPECT_FALSE(wire->server_closed);
  EXPECT_EQ(answered(*wire), expected);
}

TEST_F(SessionTest, ASilentConnectionIsClosedUnlessItWaitsForUs) {
  start({{"connections.max.idle.ms", "1000"}});
  test_->create_topic("t");
  const auto silent = connect();
  const auto waiting = connect();
  send(*waiting, frame(TestBroker::fetch_request("t", 0, 5000), 11, 1));
  test_->advance(std::chrono::milliseconds(2000));
  EXPECT_TRUE(silent->server_closed);
  EXPECT_FALSE(waiting->server_closed);
}

TEST_F(SessionTest, APeerThatLeavesIsForgotten) {
  start();
  test_->create_topic("t");
  const auto wire = connect();
  send(*wire, frame(TestBroker::fetch_request("t", 0, 60'000), 11, 1));
  wire->client_closed = true;
  send(*wire, "");
  EXPECT_TRUE(wire->server_closed);
  EXPECT_EQ(server_->session_count(), 0U);
  (void)test_->produce("t", batch_of({"a"}));  // answers nobody
}

TEST_F(SessionTest, ConnectionsAreBounded) {
  start({{"max.connections", "1"}});
  const auto first = connect();
  const auto second = connect();
  EXPECT_FALSE(first->server_closed);
  EXPECT_TRUE(second->server_closed);
}

TEST_F(SessionTest, ADrainSendsWhatIsUnderWayAndCloses) {
  start();
  test_->create_topic("t");
  const auto wire = connect();
  const auto silent = connect();
  send(*wire, frame(TestBroker::fetch_request("t", 0, 60'000), 11, 1));
  bool drained = false;
  server_->drain(std::chrono::seconds(5), [&] { drained = true; });
  test_->run();
  EXPECT_TRUE(drained);
  EXPECT_EQ(answered(*wire), (std::vector<std::int32_t>{1}));
  EXPECT_TRUE(wire->server_closed);
  EXPECT_TRUE(silent->server_closed);
}

}  // namespace
}  // namespace tripos::broker
