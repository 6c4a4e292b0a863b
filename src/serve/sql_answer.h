// SqlAnswer: a statement's result as an HTTP answer, streamed. Threads: the runner's.
//   json:     {"columns":[…],"rows":[…],"as_of":{…}}, with "error":{…} in place of as_of if it went wrong after the beginning
//   parquet:  the file's bytes; cut off if it went wrong after the beginning
// The first bytes are held back until there are enough of them: a short answer, and an error in it, goes out as a whole.
#pragma once

#include "query/query_service.h"
#include "serve/http_answer.h"

namespace tripos::serve {

class SqlAnswer final : public query::ResultSink {
 public:
  SqlAnswer(HttpResponder responder, protocol::Output output);

  [[nodiscard]] Result<> columns(std::span<const protocol::Column> columns) override;
  [[nodiscard]] Result<> rows(Buffer text) override;
  [[nodiscard]] Result<> parquet(Buffer bytes) override;

  void end(const Result<query::Answer>& answer);

 private:
  static constexpr std::size_t held_bytes_max = std::size_t{32} << 10;

  [[nodiscard]] Result<> flush_if_large();
  [[nodiscard]] HttpHead head() const;

  HttpResponder responder_;
  protocol::Output output_;
  Buffer held_;
  bool begun_ = false;
};

}  // namespace tripos::serve
