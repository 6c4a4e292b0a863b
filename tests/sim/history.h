// History: what the clients of the simulation have asked for, and what they were told: all that a crash must not take back.
// A record's value bears its number, so that wherever it is seen it tells which record it is. Grows only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace tripos::sim {

struct Place {
  std::string topic = {};
  std::int32_t partition = 0;
  friend auto operator<=>(const Place&, const Place&) = default;
};

enum class Outcome { unknown, accepted, refused };

// Who writes. Those without sequences may write twice what they write again; they never do.
enum class Writer { plain, idempotent, transactional };

struct SentBatch {
  Place place = {};
  std::uint64_t incarnation = 0;  // of the topic: a name may be given again
  Writer writer = Writer::plain;
  std::int64_t producer_id = -1;
  std::int16_t epoch = -1;
  std::int32_t sequence = -1;
  std::optional<std::size_t> transaction = {};
  std::int64_t first_number = 0;
  std::int32_t count = 0;
  std::int64_t timestamp_ms = 0;
  Outcome outcome = Outcome::unknown;
  std::int64_t base_offset = -1;  // if accepted
};

struct SentTransaction {
  std::string id = {};
  std::optional<bool> end_sent = {};              // true: commit
  Outcome outcome = Outcome::unknown;             // of the end
  std::optional<std::int64_t> group_offset = {};  // of group id, committed with it
  std::vector<std::size_t> batches = {};

  [[nodiscard]] bool is_committed() const { return end_sent == true && outcome == Outcome::accepted; }
  // Nobody may ever see it.
  [[nodiscard]] bool is_hidden() const { return end_sent != true; }
};

struct PlaceKnown {
  std::int64_t end_seen = 0;
  std::map<std::int64_t, std::int64_t> seen = {};  // offset -> number: acknowledged, or read by somebody
  std::int64_t start_told = 0;                     // DeleteRecords was answered, or a pin showed it
  std::int64_t start_asked = 0;
  std::int64_t start_seen = 0;
};

struct TopicKnown {
  bool compacted = false;
  std::int64_t retention_bytes = -1;
  std::int32_t partition_count = 1;
  std::uint64_t incarnation = 0;            // the one that was asked for last
  bool exists = false;                      // as far as was told
  bool uncertain = false;                   // a creation or deletion was asked for and not answered
  std::string id = {};                      // of the incarnation, once it was seen
  std::string config_told = {};             // the last value that was acknowledged
  std::set<std::string> config_asked = {};  // those asked for since
};

struct GroupKnown {
  std::int64_t told = -1;
  std::int64_t asked = -1;
};

struct History {
  std::vector<SentBatch> batches = {};
  std::vector<std::size_t> batch_of_number = {};
  std::vector<SentTransaction> transactions = {};
  std::map<Place, PlaceKnown> places = {};
  std::map<std::string, TopicKnown> topics = {};
  std::map<std::string, GroupKnown> groups = {};
  std::set<std::int64_t> producer_ids = {};                                // of idempotent producers
  std::set<std::pair<std::int64_t, std::int16_t>> producer_epochs = {};    // of transactional ones
  std::map<std::pair<std::string, std::uint64_t>, std::string> manifests;  // by topic id and version: what pins have shown
  std::uint64_t version = 0;                                               // changes with it

  // The batch's records get the next numbers.
  std::size_t add(SentBatch batch);
  void accept(std::size_t batch, std::int64_t base_offset);
  void see(const Place& place, std::int64_t offset, std::int64_t number);

  [[nodiscard]] const SentBatch* batch_of(std::int64_t number) const;
};

// What the record of this number holds.
[[nodiscard]] std::string value_of(std::int64_t number);
[[nodiscard]] std::string key_of(std::int64_t number);
[[nodiscard]] Buffer bytes_of(const SentBatch& batch);
// Nothing: nobody has written such a value.
[[nodiscard]] std::optional<std::int64_t> number_of(std::string_view value);

}  // namespace tripos::sim
