#include "io/asio/loop.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace tripos::io {
namespace {

using namespace std::chrono_literals;

TEST(AsioLoop, TimersRunInTheOrderOfTheirTimesAndCanBeCancelled) {
  AsioLoop loop;
  std::vector<int> order;
  (void)loop.post_after(20ms, [&] {
    order.push_back(3);
    loop.stop();
  });
  const TimerId cancelled = loop.post_after(10ms, [&] { order.push_back(2); });
  (void)loop.post_after(1ms, [&] {
    order.push_back(1);
    EXPECT_TRUE(loop.cancel(cancelled));
    EXPECT_FALSE(loop.cancel(cancelled));
    (void)loop.post_after(0ms, [&] { order.push_back(0); });
  });
  loop.run();
  EXPECT_EQ(order, (std::vector<int>{1, 0, 3}));
}

TEST(AsioLoop, TasksComeFromAnyThreadInOrder) {
  AsioLoop loop;
  std::vector<int> order;
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i) {
      loop.post([&order, &loop, i] {
        EXPECT_TRUE(loop.on_loop_thread());
        order.push_back(i);
      });
    }
    loop.post([&loop] { loop.stop(); });
  });
  loop.run();
  other.join();
  ASSERT_EQ(order.size(), 1000U);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(AsioLoop, WhatWillNotRunIsDestroyed) {
  AsioLoop loop;
  auto witness = std::make_shared<int>(0);
  const std::weak_ptr<int> alive = witness;
  loop.post([&loop] { loop.stop(); });
  for (int i = 0; i < 10; ++i) loop.post([witness] { FAIL() << "ran after stop()"; });
  witness.reset();
  loop.run();
  EXPECT_TRUE(alive.expired());
  loop.post([kept = std::make_shared<int>(1)] { FAIL(); });
}

// Sends back what it gets, then a piece of a file.
class Echo {
 public:
  Echo(std::unique_ptr<Socket> socket, int file) : socket_(std::move(socket)), file_(file) { wait(); }

 private:
  void wait() {
    socket_->when_readable([this] {
      std::array<char, 100> bytes{};
      const auto count = socket_->read(bytes);
      ASSERT_TRUE(count.has_value());
      if (!*count) return wait();
      if (**count == 0) return;
      const std::array<Bytes, 2> parts{Bytes("> "), Bytes(bytes.data(), **count)};
      EXPECT_EQ(*socket_->write(parts, true), **count + 2);
      EXPECT_EQ(*socket_->send_file(file_, 2, 3), 3U);
      wait();
    });
  }
  std::unique_ptr<Socket> socket_;
  int file_;
};

TEST(AsioLoop, SocketsCarryBytesAndFiles) {
  char name[] = "/tmp/tripos-loop-XXXXXX";
  const int file = mkstemp(name);
  ASSERT_GE(file, 0);
  ASSERT_EQ(::write(file, "0123456789", 10), 10);
  AsioLoop loop;
  std::unique_ptr<Echo> echo;
  auto listener = loop.listen({.host = "127.0.0.1", .port = 0}, [&](std::unique_ptr<Socket> socket) {
    EXPECT_EQ(socket->peer().substr(0, 10), "127.0.0.1:");
    echo = std::make_unique<Echo>(std::move(socket), file);
  });
  ASSERT_TRUE(listener.has_value());
  const std::uint16_t port = (*listener)->endpoint().port;
  EXPECT_NE(port, 0);
  EXPECT_FALSE(loop.listen({.host = "127.0.0.1", .port = port}, [](auto) {}).has_value());  // taken
  std::string heard;
  std::thread client([&] {
    FILE* pipe = popen(("exec 3<>/dev/tcp/127.0.0.1/" + std::to_string(port) + "; printf hello >&3; head -c 10 <&3")
                           .insert(0, "bash -c '")
                           .append("'")
                           .c_str(),
                       "r");
    std::array<char, 100> bytes{};
    const std::size_t count = std::fread(bytes.data(), 1, bytes.size(), pipe);
    heard.assign(bytes.data(), count);
    pclose(pipe);
    loop.stop();
  });
  loop.run();
  client.join();
  EXPECT_EQ(heard, "> hello234");
  ::close(file);
  ::unlink(name);
}

}  // namespace
}  // namespace tripos::io
