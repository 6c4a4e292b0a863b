#include "serve/load_api.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "query/answer_text.h"
#include "serve/route.h"

namespace tripos::serve {
namespace {

using Session = std::shared_ptr<load::LoadSession>;

std::string tally_text(const load::LoadTally& tally) {
  return fmt::format("{{\"new\":{},\"known\":{}}}\n", tally.new_count, tally.known_count);
}

Result<load::LoadRequest> request_of(const HttpRequest& request) {
  load::LoadRequest result;
  result.topic = parameter(request, "topic");
  if (result.topic.empty()) return fail(ErrorCode::invalid_argument, "topic=NAME is missing: which topic is it to be loaded into?");
  if (const std::string field = parameter(request, "id"); !field.empty()) result.identity = load::Identity(field);
  if (const std::string text = parameter(request, "partition"); !text.empty()) {
    std::int32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size())
      return fail(ErrorCode::invalid_argument, "partition={} is not a number", text);
    result.partition = PartitionId(number);
  }
  if (const std::string codec = parameter(request, "compression"); !codec.empty()) {
    TRIPOS_ASSIGN(result.compression, compression_from_name(codec));
  }
  return result;
}

// Counting may take long: its progress is streamed, a line for each step, and what comes of it is the last line. What ends before any
// progress is a plain answer with a status.
class BeginAnswer {
 public:
  explicit BeginAnswer(HttpResponder responder) : responder_(std::move(responder)) {}

  Result<> progress(std::uint64_t counted, std::uint64_t all) {
    if (responder_->cancellation().cancelled()) return fail(ErrorCode::cancelled, "the client has gone");
    if (counted < shown_from_bytes) return {};
    if (!std::exchange(begun_, true)) responder_->begin({});
    return responder_->write(fmt::format("{{\"counted_bytes\":{},\"of_bytes\":{}}}\n", counted, all));
  }
  void end(const Result<std::string>& text) {
    if (!begun_ && !text) return send_error(*responder_, text.error());
    if (!begun_) return responder_->send({}, *text);
    if (responder_->write(text ? *text : fmt::format("{{\"error\":{}}}\n", query::error_text(text.error())))) responder_->finish();
  }

 private:
  static constexpr std::uint64_t shown_from_bytes = std::uint64_t{256} << 20;

  HttpResponder responder_;
  bool begun_ = false;
};

Result<std::string> begin(load::LoadService& loads, const HttpRequest& request, BeginAnswer& answer, std::size_t body_bytes_max) {
  TRIPOS_ASSIGN(load::LoadRequest wanted, request_of(request));
  const auto progress = [&](std::uint64_t counted, std::uint64_t all) { return answer.progress(counted, all); };
  auto session = request.connection->kept<Session>();
  if (session && session->request() == wanted) {
    TRIPOS_TRY(session->begin(progress));
  } else {
    session.reset();
    request.connection->keep({});  // an earlier load of this connection is over
    TRIPOS_ASSIGN(session, loads.begin(std::move(wanted), progress));
    request.connection->keep(session);
  }
  return fmt::format("{{\"topic_id\":\"{}\",\"partitions\":{},\"element_bytes_max\":{},\"max.message.bytes\":{},\"uncounted\":{}}}\n",
                     session->topic().id.text(), session->topic().partition_count,
                     std::min(session->element_bytes_max(), body_bytes_max - 1), session->topic().message_bytes_max, session->uncounted());
}

// Hands the connection's session to `work` on a runner thread.
void with_session(query::RunnerThreads& runners, const HttpRequest& request, const HttpResponder& responder,
                  std::function<void(Session session)> work) {
  auto session = request.connection->kept<Session>();
  if (!session) {
    return send_error(*responder, {ErrorCode::conflict,
                                   "no load has begun on this connection, or the server was started anew: load again, which "
                                   "goes on where this one stopped"});
  }
  run_on(runners, responder, [session = std::move(session), work = std::move(work)]() mutable { work(std::move(session)); });
}

}  // namespace

std::vector<HttpRoute> load_routes(load::LoadService& loads, query::RunnerThreads& runners, std::size_t body_bytes_max) {
  const auto answer_begin = [&loads, &runners, body_bytes_max](const HttpRequest& request, const HttpResponder& responder) {
    run_on(runners, responder, [&loads, request, responder, body_bytes_max] {
      BeginAnswer answer(responder);
      answer.end(begin(loads, request, answer, body_bytes_max));
    });
  };
  const auto answer_block = [&runners](HttpRequest request, const HttpResponder& responder) {
    with_session(runners, request, responder, [body = std::move(request.body), responder](const Session& session) {
      // Answered when its turn comes: the next block is on its way while this one is worked on. What goes wrong in it, the next is told.
      bool answered = false;
      const auto turn = [&](const load::LoadTally& tally) {
        answered = true;
        responder->send({}, tally_text(tally));
      };
      const auto taken = session->take(body, turn);
      if (!answered) send_error(*responder, taken ? Error{ErrorCode::cancelled, "nothing was taken"} : taken.error());
    });
  };
  const auto answer_end = [&runners](const HttpRequest& request, const HttpResponder& responder) {
    with_session(runners, request, responder, [connection = request.connection, responder](Session session) {
      const auto tally = session->finish();
      // The claim goes before the answer does: who is told may load again.
      connection->keep({});
      session.reset();
      if (!tally) return send_error(*responder, tally.error());
      responder->send({}, tally_text(*tally));
    });
  };
  return {{"POST", "/v1/load", answer_begin}, {"POST", "/v1/load/block", answer_block}, {"POST", "/v1/load/end", answer_end}};
}

}  // namespace tripos::serve
