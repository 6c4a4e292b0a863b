#include "broker/producer_ids.h"

#include <utility>

namespace tripos::broker {

void ProducerIds::next(Done done) {
  if (waiting_.empty() && next_ < end_) {
    const ProducerId id = next_;
    ++next_;
    return done(id);
  }
  waiting_.push_back(std::move(done));
  if (!claiming_) claim_block();
}

void ProducerIds::claim_block() {
  claiming_ = true;
  const ProducerId end = end_ + block_size;
  metadata_.append(ProducerIdBlock{end}, [this, end](const Result<>& durable) {
    claiming_ = false;
    std::vector<Done> waiting = std::exchange(waiting_, {});
    if (!durable) {
      for (const Done& done : waiting) done(tl::unexpected(kafka_error(durable.error())));
      return;
    }
    end_ = end;
    for (Done& done : waiting) next(std::move(done));
  });
}

}  // namespace tripos::broker
