#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "client/address.h"
#include "client/consumer.h"
#include "client/http_client.h"
#include "client/producer.h"
#include "wire/api_versions.h"
#include "wire/fetch.h"
#include "wire/produce.h"

namespace tripos::client {
namespace {

TEST(Address, ReadsWhatPeopleWrite) {
  EXPECT_EQ(*Address::parse("localhost:9092"), (Address{"localhost", 9092}));
  EXPECT_EQ(*Address::parse("localhost", 9092), (Address{"localhost", 9092}));
  EXPECT_EQ(*Address::parse("[::1]:9092"), (Address{"::1", 9092}));
  EXPECT_EQ(Address::parse("[::1]:9092")->text(), "[::1]:9092");
  for (const char* text : {"", ":", "host", "host:", "host:x", "host:99999", "::1:9092", "[::1", "[::1]9092", "a:1:2"}) {
    EXPECT_FALSE(Address::parse(text).has_value()) << text;
  }
}

// Values of Kafka's own test of its murmur2.
TEST(PartitionOfKey, IsWhatJavaClientsDecide) {
  EXPECT_EQ(partition_of_key("21", 1000), (-973932308 & 0x7fffffff) % 1000);
  EXPECT_EQ(partition_of_key("foobar", 1000), (-790332482 & 0x7fffffff) % 1000);
  EXPECT_EQ(partition_of_key("a-little-bit-long-string", 1000), (-985981536 & 0x7fffffff) % 1000);
  EXPECT_EQ(partition_of_key("a-little-bit-longer-string", 1000), (-1486304829 & 0x7fffffff) % 1000);
  EXPECT_EQ(partition_of_key("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", 1000), (-58897971 & 0x7fffffff) % 1000);
  EXPECT_EQ(partition_of_key("abc", 1000), (479470107 & 0x7fffffff) % 1000);
}

// A server of one connection that answers as a script says.
class ScriptedServer {
 public:
  using Script = std::function<void(int connection)>;

  explicit ScriptedServer(Script script) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    socklen_t size = sizeof address;
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    address_ = {"127.0.0.1", ntohs(address.sin_port)};
    thread_ = std::thread([this, script = std::move(script)] {
      const int connection = accept(listener_, nullptr, nullptr);
      script(connection);
      close(connection);
    });
  }
  ~ScriptedServer() {
    thread_.join();
    close(listener_);
  }
  [[nodiscard]] const Address& address() const { return address_; }

  // A client that has seen enough may have hung up.
  static void say(int connection, Bytes text) {
    while (!text.empty()) {
      const ssize_t sent = ::send(connection, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent < 0) {
        EXPECT_TRUE(errno == EPIPE || errno == ECONNRESET) << std::strerror(errno);
        return;
      }
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  // Reads until `end` has come; returns everything.
  static std::string hear_until(int connection, std::string_view end) {
    std::string heard;
    char c = 0;
    while (heard.find(end) == std::string::npos && read(connection, &c, 1) == 1) heard.push_back(c);
    return heard;
  }

 private:
  int listener_ = -1;
  Address address_;
  std::thread thread_;
};

struct HttpAnswer {
  Result<HttpHead> head;
  std::string body;
};

HttpAnswer ask(const std::string& response) {
  const ScriptedServer server([&](int connection) {
    ScriptedServer::hear_until(connection, "\r\n\r\n");
    for (const char& c : response) ScriptedServer::say(connection, Bytes(&c, 1));  // in the smallest slices
  });
  HttpClient client(server.address(), {});
  HttpAnswer answer{fail(ErrorCode::io, ""), ""};
  answer.head = client.request({.target = "/healthz"}, [&](const HttpHead&, Bytes slice) -> Result<> {
    answer.body.append(slice);
    return {};
  });
  return answer;
}

TEST(HttpClient, ReadsBodiesOfEveryKind) {
  EXPECT_EQ(ask("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").body, "hello");
  EXPECT_EQ(ask("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nTrailer: x\r\n\r\n").body, "hello");
  EXPECT_EQ(ask("HTTP/1.1 200 OK\r\n\r\nhello").body, "hello");
  EXPECT_EQ(ask("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\ncontent-length: 2\r\nX-A:  b \r\n\r\nno").head->headers.at("x-a"),
            "b");
  EXPECT_EQ(ask("HTTP/1.1 204 No Content\r\n\r\n").head->status, 204);
}

TEST(HttpClient, RefusesBrokenAnswers) {
  EXPECT_FALSE(ask("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel").head.has_value());
  EXPECT_FALSE(ask("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhelp").head.has_value());
  EXPECT_FALSE(ask("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n").head.has_value());
  EXPECT_FALSE(ask("SMTP ready\r\n\r\n").head.has_value());
  EXPECT_FALSE(ask("").head.has_value());
}

TEST(UrlEncoded, KeepsOnlyWhatIsSafe) { EXPECT_EQ(url_encoded("a b/ü:0"), "a%20b%2F%C3%BC%3A0"); }

Buffer read_frame(int connection) {
  char size[4];
  if (recv(connection, size, 4, MSG_WAITALL) != 4) return {};
  Buffer frame(static_cast<std::size_t>(load_be<std::int32_t>(size)), '\0');
  EXPECT_EQ(recv(connection, frame.data(), frame.size(), MSG_WAITALL), static_cast<ssize_t>(frame.size()));
  return frame;
}

template <typename Response>
void answer(int connection, const wire::RequestHeader& header, const Response& response) {
  auto bytes = wire::encode_response_frame(response, header.api_version, header.correlation_id).flatten();
  ASSERT_TRUE(bytes.has_value());
  ScriptedServer::say(connection, *bytes);
}

// Answers ApiVersions as a broker would that has Produce and Fetch.
void greet(int connection) {
  const Buffer frame = read_frame(connection);
  const auto request = wire::decode_request_frame(frame);
  ASSERT_TRUE(request.has_value());
  wire::ApiVersionsResponse versions;
  for (const auto& [key, max] : {std::pair{wire::ApiKey::produce, 9}, {wire::ApiKey::fetch, 11}}) {
    auto& entry = versions.api_keys.emplace_back();
    entry.api_key = static_cast<decltype(entry.api_key)>(key);
    entry.min_version = 3;
    entry.max_version = static_cast<std::int16_t>(max);
  }
  answer(connection, request->header, versions);
}

// Several batches are on their way before the first acknowledgement; each is acknowledged in order, none is counted before.
TEST(Producer, KeepsSeveralBatchesInFlight) {
  std::vector<std::int32_t> counts;
  const ScriptedServer server([&](int connection) {
    greet(connection);
    std::vector<Buffer> frames;
    for (int i = 0; i < 3; ++i) frames.push_back(read_frame(connection));  // without having answered one
    std::int64_t offset = 100;
    while (true) {
      for (const Buffer& frame : frames) {
        const auto request = wire::decode_request_frame(frame);
        ASSERT_TRUE(request.has_value());
        const auto produce = wire::ProduceRequest::decode(request->body, request->header.api_version);
        ASSERT_TRUE(produce.has_value());
        const auto batch = RecordBatchView::parse(*produce->topic_data[0].partition_data[0].records);
        ASSERT_TRUE(batch.has_value() && batch->crc_matches());
        counts.push_back(batch->record_count());
        wire::ProduceResponse response;
        auto& partition = response.responses.emplace_back().partition_responses.emplace_back();
        partition.base_offset = offset;
        offset += batch->record_count();
        answer(connection, request->header, response);
      }
      frames.assign(1, read_frame(connection));
      if (frames.front().empty()) break;
    }
  });
  auto connection = KafkaConnection::connect(server.address(), {});
  ASSERT_TRUE(connection.has_value()) << connection.error().message;
  std::uint64_t acknowledged = 0;
  {
    KafkaConnection open = std::move(*connection);
    Producer producer(open, "t", 1, {.batch_size_bytes = 400, .in_flight_max = 3},
                      [&](std::uint64_t count, std::uint64_t) { acknowledged += count; });
    const std::string value(200, 'x');
    for (int i = 0; i < 10; ++i) {
      const auto added = producer.add({.partition = {}, .timestamp = {}, .key = {}, .value = value, .headers = {}});
      ASSERT_TRUE(added.has_value()) << added.error().message;
    }
    const auto flushed = producer.flush();
    ASSERT_TRUE(flushed.has_value()) << flushed.error().message;
    EXPECT_EQ(producer.ends().at(0), 110);
  }
  EXPECT_EQ(acknowledged, 10U);
}

Buffer batch_of(std::int64_t base_offset, std::vector<std::string> values, RecordBatchFields fields = {}) {
  RecordBatchBuilder builder;
  for (const std::string& value : values)
    builder.add(WallTime{}, fields.control ? std::optional<Bytes>(Bytes("\0\0\0\0", 4)) : std::nullopt, value);
  fields.base_offset = Offset(base_offset);
  return builder.finish(fields);
}

// The fetch answers with a batch that begins below the position, records of an aborted transaction, its marker, and a batch cut short.
TEST(Consumer, PassesOverWhatIsNotCommitted) {
  const RecordBatchFields transactional{
      .producer_id = ProducerId(7), .producer_epoch = ProducerEpoch(0), .base_sequence = Sequence(0), .transactional = true};
  RecordBatchFields marker = transactional;
  marker.control = true;
  const ScriptedServer server([&](int connection) {
    greet(connection);
    const Buffer frame = read_frame(connection);
    const auto request = wire::decode_request_frame(frame);
    ASSERT_TRUE(request.has_value());
    const Buffer records = batch_of(10, {"a", "b", "c"}) + batch_of(13, {"aborted"}, transactional) + batch_of(14, {"plain"}) +
                           batch_of(15, {"marker"}, marker) + batch_of(16, {"committed"}, transactional) +
                           batch_of(17, {"cut"}).substr(0, 30);
    wire::FetchResponse response;
    auto& partition = response.responses.emplace_back().partitions.emplace_back();
    partition.aborted_transactions.emplace().push_back({.producer_id = 7, .first_offset = 13});
    partition.high_watermark = 100;
    partition.records.add(Bytes(records));
    answer(connection, request->header, response);
  });
  auto connection = KafkaConnection::connect(server.address(), {});
  ASSERT_TRUE(connection.has_value()) << connection.error().message;
  std::vector<std::pair<std::int64_t, std::string>> seen;
  Consumer consumer(*connection, "", {{.index = 0, .position = 11, .end = {}}}, {});
  const auto polled = consumer.poll([&](std::int32_t, const Record& record) -> Result<bool> {
    seen.emplace_back(record.offset.value(), std::string(record.value.value_or("")));
    return true;
  });
  ASSERT_TRUE(polled.has_value()) << polled.error().message;
  EXPECT_TRUE(*polled);
  EXPECT_EQ(seen, (std::vector<std::pair<std::int64_t, std::string>>{{11, "b"}, {12, "c"}, {14, "plain"}, {16, "committed"}}));
  EXPECT_EQ(consumer.partitions()[0].position, 17);
}

// No checksum covers a batch's offset: damage in it must not pass for a gap, or for records that come again.
TEST(Consumer, RefusesBatchesWhoseOffsetsCanNotBeRight) {
  for (const std::int64_t second : {11, 99}) {
    const ScriptedServer server([&](int connection) {
      greet(connection);
      const Buffer frame = read_frame(connection);
      const auto request = wire::decode_request_frame(frame);
      ASSERT_TRUE(request.has_value());
      const Buffer records = batch_of(10, {"a", "b"}) + batch_of(second, {"c", "d"});
      wire::FetchResponse response;
      auto& partition = response.responses.emplace_back().partitions.emplace_back();
      partition.high_watermark = 100;
      partition.records.add(Bytes(records));
      answer(connection, request->header, response);
    });
    auto connection = KafkaConnection::connect(server.address(), {});
    ASSERT_TRUE(connection.has_value()) << connection.error().message;
    std::string seen;
    Consumer consumer(*connection, "", {{.index = 0, .position = 10, .end = {}}}, {});
    const auto polled = consumer.poll([&](std::int32_t, const Record& record) -> Result<bool> {
      seen += record.value.value_or("");
      return true;
    });
    ASSERT_FALSE(polled.has_value()) << second;
    EXPECT_EQ(polled.error().code, ErrorCode::corrupt);
    EXPECT_EQ(seen, "ab");
  }
}

TEST(KafkaConnection, SaysThatNobodyListens) {
  const auto connection = KafkaConnection::connect({"127.0.0.1", 1}, {});
  ASSERT_FALSE(connection.has_value());
  EXPECT_EQ(connection.error().message, "nothing listens at 127.0.0.1:1");
}

}  // namespace
}  // namespace tripos::client
