#include "serve/sql_answer.h"

#include "query/answer_text.h"
#include "serve/http_server.h"

namespace tripos::serve {

SqlAnswer::SqlAnswer(HttpResponder responder, protocol::Output output) : responder_(std::move(responder)), output_(output) {}

Result<> SqlAnswer::columns(std::span<const protocol::Column> columns) {
  if (output_ == protocol::Output::json) held_.append(fmt::format(R"({{"columns":{},"rows":[)", query::columns_text(columns)));
  return flush_if_large();
}

Result<> SqlAnswer::rows(Buffer text) {
  held_.append(text);
  return flush_if_large();
}

Result<> SqlAnswer::parquet(Buffer bytes) {
  held_.append(bytes);
  return flush_if_large();
}

void SqlAnswer::end(const Result<query::Answer>& answer) {
  if (!answer && !begun_) return send_error(*responder_, answer.error());
  if (output_ == protocol::Output::json) {
    if (held_.empty() && !begun_) held_ = R"({"columns":[],"rows":[)";  // a statement without a result: CREATE VIEW
    held_.append(answer ? fmt::format("],\"as_of\":{}}}\n", query::as_of_text(answer->pin))
                        : fmt::format("],\"error\":{}}}\n", query::error_text(answer.error())));
  } else if (!answer) {
    return;  // without its end: the client sees that the file isn't whole
  }
  if (!begun_) return responder_->send(head(), held_);
  if (responder_->write(held_)) responder_->finish();
}

Result<> SqlAnswer::flush_if_large() {
  if (held_.size() < held_bytes_max) return {};
  if (!begun_) {
    begun_ = true;
    responder_->begin(head());
  }
  TRIPOS_TRY(responder_->write(held_));
  held_.clear();
  return {};
}

HttpHead SqlAnswer::head() const {
  return {.status = 200,
          .content_type = output_ == protocol::Output::json ? "application/json" : "application/vnd.apache.parquet",
          .allow = ""};
}

}  // namespace tripos::serve
