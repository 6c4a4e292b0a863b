// TopicRegistry: which topics there are, as a pure state machine.
//
//   state     meaning                                          requests see it   its name is taken
//   creating  its record is written, not yet durable           no                yes
//   live      its record is durable                            yes               yes
//   deleting  its deletion is written, not yet durable         no                yes
//   (gone)    its deletion is durable; files are being removed no                no
//
//   event             none       creating               live                   deleting
//   begin_create      creating   TOPIC_ALREADY_EXISTS   TOPIC_ALREADY_EXISTS   TOPIC_ALREADY_EXISTS
//   created           –          live                   –                      –
//   create_failed     –          none                   –                      –
//   begin_delete      UNKNOWN…   UNKNOWN…               deleting               UNKNOWN…
//   deleted           –          –                      –                      none
//   delete_failed     –          –                      –                      live
//   changed           –          –                      live                   deleting
//
// A topic is its id; a name given again after a deletion is another topic (rules, 1.9). Threads: none of its own.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "broker/kafka_error.h"
#include "broker/metadata_record.h"

namespace tripos::broker {

enum class TopicState { creating, live, deleting };

// Whether the topic is bookkeeping: Kafka's __consumer_offsets and __transaction_state, and our own (__tripos_…).
[[nodiscard]] bool is_internal_topic(std::string_view name) noexcept;
// INVALID_TOPIC_EXCEPTION, in Kafka's words, unless a topic can be called so.
[[nodiscard]] Outcome<> check_topic_name(std::string_view name);

class TopicRegistry {
 public:
  struct Entry {
    TopicRecord record;
    TopicState state;
  };

  // Whether begin_create() would refuse the name.
  [[nodiscard]] Outcome<> check_create(std::string_view name) const;
  [[nodiscard]] Outcome<> begin_create(TopicRecord record);
  void created(const TopicId& id);
  void create_failed(const TopicId& id);

  // Another record of a topic that there is, or that is being deleted, has become durable.
  void changed(TopicRecord record);

  [[nodiscard]] Outcome<> begin_delete(const TopicId& id);
  void deleted(const TopicId& id);
  void delete_failed(const TopicId& id);

  // A durable record, at start.
  [[nodiscard]] Result<> replay(TopicRecord record);
  void replay(const TopicDeleted& deleted);

  // In any state; nullptr: there is none.
  [[nodiscard]] const Entry* find(std::string_view name) const;
  [[nodiscard]] const Entry* find(const TopicId& id) const;

  [[nodiscard]] const std::map<std::string, TopicId, std::less<>>& names() const noexcept { return names_; }
  // Topics that were deleted, as far as the log tells: their files go.
  [[nodiscard]] const std::unordered_set<TopicId>& deleted_ids() const noexcept { return deleted_; }

 private:
  Entry& entry(const TopicId& id, TopicState expected);
  void remove(const TopicId& id);

  std::map<std::string, TopicId, std::less<>> names_;
  std::unordered_map<TopicId, Entry> entries_;
  std::unordered_set<TopicId> deleted_;
  // Names with '.' as '_': of two that are equal then, Kafka's metric names would be.
  std::map<std::string, std::string, std::less<>> collision_names_;
};

}  // namespace tripos::broker
