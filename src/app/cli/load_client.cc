#include "app/cli/load_client.h"

#include <charconv>
#include <chrono>
#include <thread>
#include <utility>

#include "app/cli/query.h"
#include "app/render/cell.h"
#include "app/render/result_reader.h"

namespace tripos::app {
namespace {

// A loader that was killed this moment, or whose last answer is on its way, may still hold the topic for the blink of an eye.
constexpr std::chrono::milliseconds conflict_patience{2000};
constexpr std::chrono::milliseconds ask_again{50};

// The number of that name; 0 if there is none.
std::uint64_t number_member(const std::vector<JsonMember>& members, std::string_view name) {
  std::uint64_t number = 0;
  for (const JsonMember& member : members) {
    if (member.key == name) std::from_chars(member.value.data(), member.value.data() + member.value.size(), number);
  }
  return number;
}

}  // namespace

Result<LoadClient::Begun> LoadClient::begin(const Request& request,
                                            const std::function<void(std::uint64_t counted, std::uint64_t all)>& counting) {
  std::string target = "/v1/load?topic=" + client::url_encoded(request.topic);
  if (!request.id_field.empty()) target += "&id=" + client::url_encoded(request.id_field);
  if (request.partition) target += fmt::format("&partition={}", *request.partition);
  if (request.compression != Compression::none) target += fmt::format("&compression={}", to_string(request.compression));
  const auto deadline = std::chrono::steady_clock::now() + conflict_patience;
  while (true) {
    auto begun = begin_once(target, counting);
    if (begun || begun.error().code != ErrorCode::conflict || std::chrono::steady_clock::now() > deadline) return begun;
    std::this_thread::sleep_for(ask_again);
  }
}

// The answer: lines that tell how far the counting has come, if it takes long, and one that tells what came of it.
Result<LoadClient::Begun> LoadClient::begin_once(const std::string& target,
                                                 const std::function<void(std::uint64_t counted, std::uint64_t all)>& counting) {
  std::string text;
  std::optional<Begun> begun;
  std::optional<Error> failure;
  const auto take_line = [&](std::string_view line) -> Result<> {
    TRIPOS_ASSIGN(const auto members, json_members(line));
    for (const JsonMember& member : members) {
      if (member.key == "error") failure = server_error(member.value);
    }
    if (const std::uint64_t all = number_member(members, "of_bytes"); all > 0) {
      counting(number_member(members, "counted_bytes"), all);
    } else {
      begun = Begun{.element_bytes_max = static_cast<std::size_t>(number_member(members, "element_bytes_max")),
                    .message_bytes_max = static_cast<std::size_t>(number_member(members, "max.message.bytes")),
                    .uncounted = number_member(members, "uncounted")};
    }
    return {};
  };
  TRIPOS_ASSIGN(const client::HttpHead head,
                http_.request({.method = "POST", .target = target}, [&](const client::HttpHead& answer, Bytes slice) -> Result<> {
                  text.append(slice);
                  if (!answer.ok()) return {};
                  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n')) {
                    TRIPOS_TRY(take_line(std::string_view(text).substr(0, end)));
                    text.erase(0, end + 1);
                  }
                  return {};
                }));
  if (!head.ok()) return tl::unexpected(server_error(text));
  if (failure) return tl::unexpected(*failure);
  if (!begun || begun->element_bytes_max == 0) return fail(ErrorCode::malformed, "the server's answer to a load is none: {}", text);
  return *begun;
}

Result<> LoadClient::post(std::string target, std::string body) {
  TRIPOS_ASSIGN(
      const std::string text,
      fetch_text(http_, {.method = "POST", .target = std::move(target), .body = std::move(body), .content_type = "application/x-ndjson"}));
  TRIPOS_ASSIGN(const auto members, json_members(text));
  tally_ = {.new_count = number_member(members, "new"), .known_count = number_member(members, "known")};
  return {};
}

Result<> LoadClient::send(std::string lines) { return post("/v1/load/block", std::move(lines)); }

Result<LoadClient::Tally> LoadClient::end() {
  TRIPOS_TRY(post("/v1/load/end", ""));
  return tally_;
}

}  // namespace tripos::app
