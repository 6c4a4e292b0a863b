// PendingReply: the answer to a request that does several things, each of which may end later: sent when the last one has.
// Shared by their callbacks. Threads: the loop's.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "broker/api/request.h"

namespace tripos::broker {

template <typename Response>
class PendingReply {
 public:
  explicit PendingReply(Reply<Response> reply) : reply_(std::move(reply)) {}

  Response response;

  // Each begin() is followed by one finish(); the request's own turn counts as one that has begun.
  void begin() { ++outstanding_; }
  void finish() {
    if (--outstanding_ == 0) reply_(response);
  }

 private:
  Reply<Response> reply_;
  std::size_t outstanding_ = 1;
};

template <typename Response>
[[nodiscard]] std::shared_ptr<PendingReply<Response>> pending_reply(Reply<Response> reply) {
  return std::make_shared<PendingReply<Response>>(std::move(reply));
}

// Of results with the usual two fields.
template <typename Result>
void refuse_result(Result& result, const KafkaError& error) {
  result.error_code = error.code;
  result.error_message = error.message;
}

}  // namespace tripos::broker
