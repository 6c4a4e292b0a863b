// Produce: each partition's batch is checked and appended; the request is answered when all that it appended is durable, so that
// acks=1 and acks=all mean the same (rules, 1.1). acks=0 is appended, synced soon, and not answered.
#include <memory>
#include <utility>

#include "broker/api/handlers.h"
#include "broker/api/serve.h"
#include "broker/produced_batch.h"
#include "broker/topics.h"
#include "broker/transaction/transaction_coordinator.h"

namespace tripos::broker {

namespace {

using ProducedPartition = wire::ProduceResponse::PartitionProduceResponse;

constexpr std::int16_t produce_topic_ids_from = 13;
constexpr std::int16_t magic_v2_from = 3;
constexpr std::int16_t abortable_from = 11;  // KIP-890

// The answer, until its last partition is durable. Responses are laid out before the first append, so that each has its place.
struct PendingProduce {
  Reply<wire::ProduceResponse> reply;
  wire::ProduceResponse response;
  std::size_t outstanding = 1;  // appends, and the request's own turn

  void finish_one() {
    if (--outstanding > 0) return;
    std::erase_if(response.responses, [](const auto& topic) { return topic.partition_responses.empty(); });  // nothing was asked of it
    reply(response);
  }
};

bool is_of_sequence(wire::ErrorCode code) {
  return code == wire::ErrorCode::out_of_order_sequence_number || code == wire::ErrorCode::invalid_producer_epoch ||
         code == wire::ErrorCode::unknown_producer_id || code == wire::ErrorCode::invalid_txn_state;
}

void refuse_partition(ProducedPartition& response, const KafkaError& error) {
  response.error_code = error.code;
  response.error_message = error.message;
  response.base_offset = -1;
}

void refuse_batch(ProducedPartition& response, const RefusedBatch& refused) {
  refuse_partition(response, refused.error);
  response.record_errors.reserve(refused.records.size());
  for (const RefusedRecord& each : refused.records) {
    auto& record = response.record_errors.emplace_back();
    record.batch_index = each.place;
    record.batch_index_error_message = each.why;
  }
}

Outcome<Topic*> find_produced_topic(RequestContext& context, const wire::ProduceRequest::TopicProduceData& data) {
  Topics& topics = context.broker.topics();
  const bool by_id = context.version >= produce_topic_ids_from;
  Topic* topic = by_id ? topics.find(data.topic_id) : topics.find(data.name);
  // Of a topic that may not be written to, not even its existence is told.
  if (!context.allows(Operation::write, ResourceType::topic, topic != nullptr ? topic->name() : data.name)) {
    return refuse(wire::ErrorCode::topic_authorization_failed, "Not allowed to write to this topic.");
  }
  if (topic == nullptr) {
    return refuse(by_id ? wire::ErrorCode::unknown_topic_id : wire::ErrorCode::unknown_topic_or_partition,
                  "This server does not host this topic-partition.");
  }
  if (topic->internal) return refuse(wire::ErrorCode::invalid_topic_exception, "{} is written by the broker only.", topic->name());
  return topic;
}

struct Target {
  RequestContext& context;
  Topic& topic;
  log::Urgency urgency;
  const std::optional<std::string>& transactional_id;
};

// A transactional batch is taken only while its transaction is open and has the partition (KIP-890): nothing can be left open for ever,
// or reach a later transaction of the same producer.
Outcome<> check_transaction(const Target& target, const RecordBatchView& batch, std::int32_t partition) {
  if (!batch.is_transactional()) return {};
  if (!target.transactional_id || !target.context.allows(Operation::write, ResourceType::transactional_id, *target.transactional_id)) {
    return refuse(wire::ErrorCode::transactional_id_authorization_failed, "Not allowed to write in transactions of this id.");
  }
  wire::ErrorCode error = target.context.broker.transactions().verify(
      *target.transactional_id, {batch.producer_id(), batch.producer_epoch()}, {target.topic.name(), partition});
  if (error == wire::ErrorCode::none) return {};
  // Newer clients abort and begin anew, where older ones fail for good.
  if (error == wire::ErrorCode::invalid_txn_state && target.context.version >= abortable_from)
    error = wire::ErrorCode::transaction_abortable;
  return refuse(error, "Transactional id {}: {} of producer {} (epoch {}) for {}-{}.", *target.transactional_id, to_string(error),
                batch.producer_id(), batch.producer_epoch(), target.topic.name(), partition);
}

// `response` lives in `answer`.
void append(const Target& target, const wire::ProduceRequest::PartitionProduceData& data, const std::shared_ptr<PendingProduce>& answer,
            ProducedPartition& response) {
  Broker& broker = target.context.broker;
  const auto partition = broker.topics().partition(target.topic, PartitionId(data.index));
  if (!partition) return refuse_partition(response, partition.error());
  Buffer rewritten;
  const auto checked = check_produced(data.records.value_or(Bytes()), target.topic.config, broker.environment().clock.wall(),
                                      target.context.version, broker.record_reader(), rewritten);
  if (!checked) {
    if (checked.error().reached_log) response.log_start_offset = (*partition)->start_offset().value();
    return refuse_batch(response, checked.error());
  }
  if (const auto open = check_transaction(target, checked->batch, data.index); !open) return refuse_partition(response, open.error());
  if (answer != nullptr) ++answer->outstanding;
  // Told with a refusal too: a producer that hears UNKNOWN_PRODUCER_ID learns of it whether its records were deleted (KIP-360).
  const Offset start = (*partition)->start_offset();
  const auto done = [answer, &response, start](const Outcome<AppendResult>& appended) {
    if (answer == nullptr) return;  // acks=0: nobody is told
    if (appended) {
      response.base_offset = appended->base_offset.value();
      response.log_append_time_ms = appended->log_append_time_ms;
      response.log_start_offset = appended->log_start_offset.value();
    } else {
      refuse_partition(response, appended.error());
      if (is_of_sequence(appended.error().code)) response.log_start_offset = start.value();
    }
    answer->finish_one();
  };
  (*partition)->append({.batch = checked->batch, .log_append_time_ms = checked->log_append_time_ms, .urgency = target.urgency}, done);
}

void lay_out(const wire::ProduceRequest& request, wire::ProduceResponse& response) {
  response.responses.resize(request.topic_data.size());
  for (std::size_t i = 0; i < request.topic_data.size(); ++i) {
    const auto& topic = request.topic_data[i];
    response.responses[i].name = topic.name;
    response.responses[i].topic_id = topic.topic_id;
    response.responses[i].partition_responses.resize(topic.partition_data.size());
    for (std::size_t j = 0; j < topic.partition_data.size(); ++j) {
      response.responses[i].partition_responses[j].index = topic.partition_data[j].index;
    }
  }
}

void refuse_all_partitions(wire::ProduceResponse& response, const KafkaError& error) {
  for (auto& topic : response.responses) {
    for (auto& partition : topic.partition_responses) refuse_partition(partition, error);
  }
}

void append_all(RequestContext& context, const wire::ProduceRequest& request, const std::shared_ptr<PendingProduce>& answer,
                wire::ProduceResponse& response) {
  const log::Urgency urgency = request.acks == 0 ? log::Urgency::soon : log::Urgency::now;
  for (std::size_t i = 0; i < request.topic_data.size(); ++i) {
    auto& responses = response.responses[i].partition_responses;
    const auto topic = find_produced_topic(context, request.topic_data[i]);
    for (std::size_t j = 0; j < responses.size(); ++j) {
      if (topic) {
        append({.context = context, .topic = **topic, .urgency = urgency, .transactional_id = request.transactional_id},
               request.topic_data[i].partition_data[j], answer, responses[j]);
      } else {
        refuse_partition(responses[j], topic.error());
      }
    }
  }
}

// acks=0 has no answer to refuse in: Kafka closes the connection, so that the producer notices.
void append_unanswered(RequestContext& context, const wire::ProduceRequest& request, const Reply<wire::ProduceResponse>& reply) {
  wire::ProduceResponse response;
  lay_out(request, response);
  append_all(context, request, nullptr, response);
  for (const auto& topic : response.responses) {
    for (const auto& partition : topic.partition_responses) {
      if (partition.error_code == wire::ErrorCode::none) continue;
      return reply.close_session(fmt::format("a record sent with acks=0 was refused: {}", to_string(partition.error_code)));
    }
  }
  reply.send_nothing();
}

}  // namespace

void handle_produce(RequestContext& context, const wire::ProduceRequest& request, Reply<wire::ProduceResponse> reply) {
  if (request.acks == 0) return append_unanswered(context, request, reply);
  const auto answer = std::make_shared<PendingProduce>(PendingProduce{.reply = std::move(reply), .response = {}});
  lay_out(request, answer->response);
  if (request.acks != 1 && request.acks != -1) {
    refuse_all_partitions(answer->response, {.code = wire::ErrorCode::invalid_required_acks, .message = "acks must be 0, 1 or -1 (all)."});
  } else {
    append_all(context, request, answer, answer->response);
  }
  answer->finish_one();
}

void serve_produce(RequestContext& context, Bytes body, std::int32_t correlation_id, Responder responder) {
  if (context.version >= magic_v2_from) return serve<&handle_produce>(context, body, correlation_id, std::move(responder));
  // Versions 0 to 2 differ from 3 by having no transactional id, which a null one stands for.
  Buffer as_v3(2, '\xff');
  as_v3.append(body);
  const auto request = wire::ProduceRequest::decode(as_v3, magic_v2_from);
  if (!request) return responder(CloseSession{fmt::format("Produce v{}: {}", context.version, request.error().text())});
  if (request->acks == 0) return responder(CloseSession{"records of magic 0 or 1 are not accepted"});
  wire::Output out;
  wire::begin_response(out, wire::ApiKey::produce, context.version, correlation_id);
  out.append_integer(static_cast<std::int32_t>(request->topic_data.size()));
  for (const auto& topic : request->topic_data) {
    out.append_integer(static_cast<std::int16_t>(topic.name.size()));
    out.append(topic.name);
    out.append_integer(static_cast<std::int32_t>(topic.partition_data.size()));
    for (const auto& partition : topic.partition_data) {
      out.append_integer(partition.index);
      out.append_integer(static_cast<std::int16_t>(wire::ErrorCode::unsupported_version));
      out.append_integer(std::int64_t{-1});                            // base offset
      if (context.version >= 2) out.append_integer(std::int64_t{-1});  // log append time
    }
  }
  if (context.version >= 1) out.append_integer(std::int32_t{0});  // throttle time
  out.patch_frame_size();
  responder(std::move(out));
}

}  // namespace tripos::broker
