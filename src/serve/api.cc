#include "serve/api.h"

#include "query/answer_text.h"
#include "serve/route.h"
#include "serve/sql_answer.h"

namespace tripos::serve {

namespace {

constexpr auto statement_bytes_max = std::size_t{1} << 20;

Result<query::Question> question_of(HttpRequest& request, const ApiSettings& settings) {
  query::Question question;
  question.text = std::move(request.body);
  question.time_limit = settings.time_limit;
  question.row_count_max = settings.row_count_max;
  if (question.text.size() > statement_bytes_max) return fail(ErrorCode::too_large, "a statement may have {} bytes", statement_bytes_max);
  const std::string format = parameter(request, "format");
  if (format == "parquet") {
    question.output = protocol::Output::parquet;
  } else if (!format.empty() && format != "json") {
    return fail(ErrorCode::invalid_argument, "format={}: there are json and parquet", format);
  }
  TRIPOS_ASSIGN(question.wait_for, query::parse_wait_for(parameter(request, "wait_for")));
  return question;
}

void answer_sql(const Api& api, HttpRequest request, const HttpResponder& responder) {
  auto question = question_of(request, api.settings);
  if (!question) return send_error(*responder, question.error());
  run_on(api.runners, responder, [&queries = api.queries, question = std::move(*question), responder] {
    SqlAnswer answer(responder, question.output);
    answer.end(queries.run(question, answer, responder->cancellation()));
  });
}

void answer_batch_run(const Api& api, const HttpRequest& request, const HttpResponder& responder) {
  run_on(api.runners, responder, [&snapshots = api.snapshots, topic = parameter(request, "topic"), responder] {
    const auto done = snapshots.run(topic);
    if (!done) return send_error(*responder, done.error());
    responder->send({}, query::batch_run_text(*done) + "\n");
  });
}

void answer_batch_status(const Api& api, const HttpRequest& request, const HttpResponder& responder) {
  run_on(api.runners, responder, [&snapshots = api.snapshots, topic = parameter(request, "topic"), responder] {
    const auto status = snapshots.status(topic);
    if (!status) return send_error(*responder, status.error());
    responder->send({}, query::batch_status_text(*status) + "\n");
  });
}

}  // namespace

std::vector<HttpRoute> api_routes(const Api& api) {
  return {
      {"GET", "/healthz", [](const HttpRequest&, const HttpResponder& responder) { responder->send({}, "{\"status\":\"ok\"}\n"); }},
      {"POST", "/v1/sql", [api](HttpRequest request, const HttpResponder& responder) { answer_sql(api, std::move(request), responder); }},
      {"POST", "/v1/batch",
       [api](const HttpRequest& request, const HttpResponder& responder) { answer_batch_run(api, request, responder); }},
      {"GET", "/v1/batch",
       [api](const HttpRequest& request, const HttpResponder& responder) { answer_batch_status(api, request, responder); }},
  };
}

}  // namespace tripos::serve
