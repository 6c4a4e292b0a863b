#include "judge.h"

#include <algorithm>
#include <set>

#include "broker/partition.h"
#include "broker/straddling_transactions.h"
#include "broker/testing_transactions.h"
#include "lambda/testing/exactness.h"
#include "log/paths.h"

namespace tripos::sim {

std::string Judge::first_wrong() {
  if (wrong_.empty()) {
    if (const std::string complaint = world_.complaints(); !complaint.empty()) wrong("open", "{}", complaint);
  }
  return wrong_;
}

std::string Judge::after_start() {
  if (const std::string first = first_wrong(); !first.empty()) return first;
  pin_tables();  // before anything else moves: no pin is given before prepared transactions are completed (rules, 2.2)
  check_topics();
  if (!wrong_.empty()) return wrong_;
  read_places();
  if (!wrong_.empty()) return wrong_;
  check_transactions(read_, Reader::consumers);
  check_tables();
  check_groups();
  check_files();
  return first_wrong();
}

std::string Judge::pins() {
  pin_tables();
  return wrong_;
}

void Judge::teach(History& history) const {
  for (const auto& [place, seen] : read_) {
    PlaceKnown& known = history.places[place];
    known.start_seen = std::max(known.start_seen, seen.begin);
    known.end_seen = std::max(known.end_seen, seen.end);
  }
  for (const auto& [place, seen] : pinned_) {
    PlaceKnown& known = history.places[place];
    known.start_told = std::max(known.start_told, seen.begin);
  }
  for (const View* const view : {&read_, &pinned_}) {
    for (const auto& [place, seen] : *view) {
      for (const Row& row : seen.rows) history.see(place, row.offset, row.number);
    }
  }
  history.manifests.insert(manifests_.begin(), manifests_.end());
  ++history.version;
}

std::string Judge::nothing_is_held() {
  for (const auto& [name, topic] : history_.topics) {
    if (!is_settled(name)) continue;
    for (std::int32_t p = 0; p < topic.partition_count; ++p) {
      const auto partition = world_.broker().broker().topics().partition(name, PartitionId(p));
      if (!partition) continue;
      if (!world_.broker().broker().straddling().withheld((*partition)->id(), Offset(0), (*partition)->durable_end().offset).empty()) {
        wrong("held", "{}-{}: a transaction is withheld from tables, and none is open", name, p);
      }
      if ((*partition)->stable_offset().offset != (*partition)->durable_end().offset) {
        wrong("held", "{}-{}: stable up to {}, durable up to {}, and no transaction is open", name, p, (*partition)->stable_offset().offset,
              (*partition)->durable_end().offset);
      }
    }
  }
  return wrong_;
}

bool Judge::is_settled(const std::string& topic) const {
  const auto known = history_.topics.find(topic);
  return known != history_.topics.end() && known->second.exists && !known->second.uncertain;
}

Row Judge::row_of(const Place& place, std::int64_t offset, std::string_view value) {
  const auto number = number_of(value);
  if (!number) {
    wrong("changed", "{}-{} offset {}: nobody wrote {}", place.topic, place.partition, offset, value);
    return {.offset = offset, .number = -1};
  }
  return {.offset = offset, .number = *number};
}

// ---- Topics

void Judge::check_topics() {
  broker::Topics& topics = world_.broker().broker().topics();
  for (const auto& [name, known] : history_.topics) {
    if (known.uncertain) continue;
    const broker::Topic* const topic = topics.find(name);
    if (!known.exists) {
      if (topic != nullptr) wrong("topic", "{} is back; its deletion was acknowledged", name);
      continue;
    }
    if (topic == nullptr) {
      wrong("topic", "{} is gone; its creation was acknowledged", name);
      continue;
    }
    if (topic->partition_count() != known.partition_count) wrong("topic", "{} has {} partitions", name, topic->partition_count());
    if (!known.id.empty() && topic->id().text() != known.id) wrong("topic", "{} has another id than before", name);
    const auto config = topic->record.config.find("retention.ms");
    const std::string value = config == topic->record.config.end() ? "" : config->second;
    if (value != known.config_told && !known.config_asked.contains(value)) {
      wrong("topic", "{}: retention.ms is '{}', '{}' was acknowledged", name, value, known.config_told);
    }
  }
}

void Judge::check_files() {
  std::set<std::string> live;
  for (const broker::Topic* topic : world_.broker().broker().topics().all()) live.insert(topic->id().text());
  const auto names = world_.disk().list(log::topics_directory("data"));
  if (!names) return;
  for (const auto& entry : *names) {
    if (!live.contains(entry.name)) wrong("files", "{} is of no topic", entry.name);
  }
}

// ---- Logs

void Judge::read_places() {
  for (const auto& [name, topic] : history_.topics) {
    if (!is_settled(name)) continue;
    for (std::int32_t p = 0; p < topic.partition_count && wrong_.empty(); ++p) read_place({name, p}, topic);
  }
}

void Judge::read_place(const Place& place, const TopicKnown& topic) {
  const auto partition = world_.broker().broker().topics().partition(place.topic, PartitionId(place.partition));
  if (!partition) return wrong("open", "{}-{} is refused: {}", place.topic, place.partition, partition.error().message);
  const std::int64_t start = (*partition)->start_offset().value();
  const std::int64_t end = (*partition)->durable_end().offset.value();
  static const PlaceKnown nothing;
  const auto found = history_.places.find(place);
  const PlaceKnown& known = found == history_.places.end() ? nothing : found->second;
  if (end < known.end_seen) wrong("lost", "{}-{}: the end is {}, it was {}", place.topic, place.partition, end, known.end_seen);
  if (start < std::max(known.start_told, known.start_seen)) {
    wrong("start", "{}-{}: the start is {}, it was {}", place.topic, place.partition, start, std::max(known.start_told, known.start_seen));
  }
  if (start > std::max(known.start_asked, known.start_seen)) {
    const auto bytes = static_cast<std::int64_t>((*partition)->log()->size_bytes());
    if (topic.retention_bytes < 0 || bytes < topic.retention_bytes) {
      wrong("start", "{}-{}: the start is {}, where nobody asked for it; {} bytes are left", place.topic, place.partition, start, bytes);
    }
  }
  std::vector<Row> rows;
  broker::take_all(world_.broker(), place.topic, place.partition, start, false, [&](const Record& record) {
    if (wrong_.empty() && record.value) rows.push_back(row_of(place, record.offset.value(), *record.value));
  });
  // Markers are records of their own kind: their values are no JSON, and a consumer does not see them.
  if (!wrong_.empty()) return;
  check_rows(place, topic, start, rows);
  check_sequences(place, rows);
  Seen& seen = read_[place];
  seen.begin = start;
  seen.end = (*partition)->stable_offset().offset.value();
  broker::take_all(world_.broker(), place.topic, place.partition, start, true, [&](const Record& record) {
    if (wrong_.empty() && record.value) seen.rows.push_back(row_of(place, record.offset.value(), *record.value));
  });
}

void Judge::check_rows(const Place& place, const TopicKnown& topic, std::int64_t start, const std::vector<Row>& rows) {
  std::map<std::int64_t, std::int64_t> numbers;  // by offset
  std::set<std::int64_t> once;
  for (const Row& row : rows) {
    const SentBatch* const batch = history_.batch_of(row.number);
    if (batch == nullptr || batch->place != place || batch->incarnation != topic.incarnation) {
      wrong("changed", "{}-{} offset {} holds record {}, which was not sent there", place.topic, place.partition, row.offset, row.number);
    }
    if (!once.insert(row.number).second)
      wrong("twice", "{}-{}: record {} again at offset {}", place.topic, place.partition, row.number, row.offset);
    numbers[row.offset] = row.number;
  }
  const auto known = history_.places.find(place);
  if (known == history_.places.end()) return;
  for (const auto& [offset, number] : known->second.seen) {
    const auto stands = numbers.find(offset);
    if (stands != numbers.end() && stands->second != number) {
      wrong("changed", "{}-{} offset {} holds record {}, it held {}", place.topic, place.partition, offset, stands->second, number);
    }
    if (stands == numbers.end() && offset >= start && !topic.compacted) {
      wrong("lost", "{}-{}: record {} at offset {}", place.topic, place.partition, number, offset);
    }
  }
  if (topic.compacted) check_last_of_keys(place, rows);
}

// Of each key the last record that somebody knows of, or a later one, must stand.
void Judge::check_last_of_keys(const Place& place, const std::vector<Row>& rows) {
  std::map<std::string, std::int64_t> last_known;
  for (const auto& [offset, number] : history_.places.at(place).seen) last_known[key_of(number)] = offset;
  std::map<std::string, std::int64_t> last;
  for (const Row& row : rows) last[key_of(row.number)] = row.offset;
  for (const auto& [key, offset] : last_known) {
    const auto stands = last.find(key);
    if (stands == last.end() || stands->second < offset) {
      wrong("lost", "{}-{}: the last value of {}, at offset {}", place.topic, place.partition, key, offset);
    }
  }
}

void Judge::check_sequences(const Place& place, const std::vector<Row>& rows) {
  std::map<std::pair<std::int64_t, std::int16_t>, std::int32_t> last;
  for (const Row& row : rows) {
    const SentBatch* const batch = history_.batch_of(row.number);
    if (batch == nullptr || batch->writer == Writer::plain) continue;
    const auto sequence = batch->sequence + static_cast<std::int32_t>(row.number - batch->first_number);
    const auto [before, first] = last.emplace(std::pair(batch->producer_id, batch->epoch), sequence);
    if (!first && sequence != before->second + 1) {
      wrong("sequence", "{}-{} offset {}: producer {} goes from {} to {}", place.topic, place.partition, row.offset, batch->producer_id,
            before->second, sequence);
    }
    before->second = sequence;
  }
}

// ---- Transactions

// What is below the end of a partition is seen of all of a transaction or of nothing; a transaction that holds one of its partitions back
// is seen in none.
// Whether a part of it waits behind an open transaction, so that tables show nothing of it.
bool Judge::straddles(const SentTransaction& transaction) const {
  return std::ranges::any_of(transaction.batches, [this](std::size_t index) {
    const SentBatch& batch = history_.batches[index];
    const auto topic = history_.topics.find(batch.place.topic);
    const auto log = read_.find(batch.place);
    return batch.outcome == Outcome::accepted && topic != history_.topics.end() && topic->second.incarnation == batch.incarnation &&
           log != read_.end() && batch.base_offset >= log->second.end;
  });
}

// Whether the server says so; that it says it of nothing any more when no transaction is open, nothing_is_held() checks.
bool Judge::is_withheld(const Place& place, const Row& row) const {
  const SentBatch* const batch = history_.batch_of(row.number);
  const auto partition = world_.broker().broker().topics().partition(place.topic, PartitionId(place.partition));
  if (batch == nullptr || !batch->transaction || !partition) return false;
  return !world_.broker().broker().straddling().withheld((*partition)->id(), Offset(row.offset), Offset(row.offset + 1)).empty();
}

void Judge::check_transactions(const View& view, Reader reader) {
  std::set<std::int64_t> visible;
  for (const auto& [place, seen] : view) {
    for (const Row& row : seen.rows) visible.insert(row.number);
  }
  const auto holds = [&](std::size_t transaction, const Place& place, std::int64_t end) {
    const auto known = history_.places.find(place);
    if (known == history_.places.end()) return false;
    const auto first = known->second.seen.find(end);
    if (first == known->second.seen.end()) return false;
    const SentBatch* const batch = history_.batch_of(first->second);
    return batch != nullptr && batch->transaction == transaction;
  };
  for (std::size_t t = 0; t < history_.transactions.size(); ++t) {
    const SentTransaction& transaction = history_.transactions[t];
    std::optional<Place> shown;
    std::optional<Place> missing;
    const bool straddles = this->straddles(transaction);
    for (const std::size_t index : transaction.batches) {
      const SentBatch& batch = history_.batches[index];
      const auto seen = view.find(batch.place);
      if (seen == view.end()) continue;
      for (std::int64_t i = 0; i < batch.count; ++i) {
        if (visible.contains(batch.first_number + i)) {
          shown = batch.place;
        } else if (batch.outcome == Outcome::accepted && batch.base_offset + i >= seen->second.begin) {
          const bool held = batch.base_offset + i >= seen->second.end;
          if (!held || holds(t, batch.place, seen->second.end)) {
            missing = batch.place;
          }
        }
      }
    }
    if (shown && transaction.is_hidden()) {
      wrong("transaction", "{} of {} is seen in {}-{} by {}, and was not committed", t, transaction.id, shown->topic, shown->partition,
            reader == Reader::tables ? "tables" : "consumers");
    }
    if (shown && missing) {
      wrong("transaction", "{} of {} is seen in {}-{} and not in {}-{}", t, transaction.id, shown->topic, shown->partition, missing->topic,
            missing->partition);
    }
    if (reader == Reader::tables && shown && straddles) {
      wrong("transaction", "{} of {} is seen in {}-{}, and behind an open one in another", t, transaction.id, shown->topic,
            shown->partition);
    }
    if (missing && transaction.is_committed() && reader == Reader::consumers) {  // of tables: check_table_rows()
      wrong("transaction", "{} of {} is committed and not seen in {}-{}", t, transaction.id, missing->topic, missing->partition);
    }
    if (shown) visible_[t] = true;
  }
}

void Judge::check_groups() {
  for (const auto& [group, known] : history_.groups) {
    const std::int64_t offset = broker::fetch_offset(world_.broker(), group, "exams", false).first;
    if (offset < known.told || offset > known.asked)
      wrong("group", "{} has offset {}; {} was acknowledged, {} asked for", group, offset, known.told, known.asked);
  }
  std::set<std::string> ids;
  for (const SentTransaction& transaction : history_.transactions) ids.insert(transaction.id);
  for (const std::string& id : ids) {
    const std::int64_t offset = broker::fetch_offset(world_.broker(), "group of " + id, "exams", false).first;
    bool may_be = offset == -1;
    for (std::size_t t = 0; t < history_.transactions.size(); ++t) {
      const SentTransaction& transaction = history_.transactions[t];
      if (transaction.id != id || !transaction.group_offset) continue;
      if (*transaction.group_offset == offset) may_be = !transaction.is_hidden();
      if (*transaction.group_offset > offset && (transaction.is_committed() || visible_.contains(t))) {
        wrong("group", "group of {} has offset {}, though the transaction of {} is committed", id, offset, *transaction.group_offset);
      }
    }
    if (!may_be) wrong("group", "group of {} has offset {}, which was not committed", id, offset);
  }
}

// ---- Tables

void Judge::pin_tables() {
  const auto names = world_.tables().names();
  if (!names) return wrong("table", "{}", names.error().message);
  std::vector<lambda::TableReference> references;
  for (const std::string& name : *names) {
    const auto known = history_.topics.find(name);
    if (known != history_.topics.end() && !known->second.compacted && is_settled(name))
      references.push_back({.qualifier = "", .name = name});
  }
  if (references.empty()) return;
  const auto pin = world_.tables().pin(references);
  if (!pin) return wrong("table", "no pin: {}", pin.error().message);
  for (const lambda::PinnedTable& table : pin->tables) {
    const auto version = std::pair(table.topic.id.text(), table.manifest->version);
    const std::string& text = manifests_[version] = table.manifest->text();
    if (const auto before = history_.manifests.find(version); before != history_.manifests.end() && before->second != text) {
      wrong("manifest", "version {} of {} is another one than before", version.second, table.name);
    }
    for (const PartitionRange& range : table.ranges) {
      const Place place{table.topic.name, range.partition.value()};
      const auto rows = lambda::rows_of(table.files(), table.ranges, table.topic.id, range.partition, world_.columns(), world_.manifests());
      if (!rows) return wrong("table", "{}-{}: {}", place.topic, place.partition, rows.error().message);
      Seen seen{.begin = range.deleted_below.value(), .end = range.end.offset.value(), .rows = {}};
      for (const lambda::PlainRow& row : *rows) seen.rows.push_back(row_of(place, row.offset.value(), row.value));
      check_table_rows(place, seen, table, range);
      pinned_[place] = std::move(seen);
    }
  }
  check_transactions(pinned_, Reader::tables);
  visible_.clear();
}

void Judge::check_table_rows(const Place& place, const Seen& seen, const lambda::PinnedTable& pinned, const PartitionRange& range) {
  const std::uint64_t incarnation = history_.topics.at(place.topic).incarnation;
  const auto known = history_.places.find(place);
  std::set<std::int64_t> numbers;
  std::int64_t last = -1;
  for (const Row& row : seen.rows) {
    const SentBatch* const batch = history_.batch_of(row.number);
    if (batch == nullptr || batch->place != place || batch->incarnation != incarnation) {
      wrong("table", "{}-{}: row {} at offset {} was not sent there", place.topic, place.partition, row.number, row.offset);
    }
    if (row.offset <= last) wrong("table", "{}-{}: offset {} comes after {}", place.topic, place.partition, row.offset, last);
    if (row.offset < seen.begin) wrong("table", "{}-{}: the row at {} was deleted", place.topic, place.partition, row.offset);
    if (row.offset >= seen.end) wrong("table", "{}-{}: the row at {} is not stable yet", place.topic, place.partition, row.offset);
    if (!numbers.insert(row.number).second) wrong("table", "{}-{}: row {} comes twice", place.topic, place.partition, row.number);
    last = row.offset;
    if (known == history_.places.end()) continue;
    const auto before = known->second.seen.find(row.offset);
    if (before != known->second.seen.end() && before->second != row.number) {
      wrong("table", "{}-{}: the row at {} is {}, it was {}", place.topic, place.partition, row.offset, row.number, before->second);
    }
  }
  if (known == history_.places.end()) return;
  if (seen.begin < known->second.start_told)
    wrong("table", "{}-{} shows what was deleted below {} from {} on (the log from {} on)", place.topic, place.partition,
          known->second.start_told, seen.begin, range.begin);
  if (seen.begin > known->second.start_asked) wrong("table", "{}-{}: nobody deleted below {}", place.topic, place.partition, seen.begin);
  // Everything that was acknowledged, lies below the end and belongs to no transaction that may be open or aborted; retention takes
  // nothing from a table.
  for (const auto& [offset, number] : known->second.seen) {
    if (offset < seen.begin || offset >= seen.end || numbers.contains(number)) continue;
    const SentBatch* const batch = history_.batch_of(number);
    if (batch == nullptr || (batch->transaction && !history_.transactions[*batch->transaction].is_committed())) continue;
    if (is_withheld(place, {offset, number})) continue;
    wrong("table", "{}-{}: row {} at offset {} is lost (files below {}, log from {} to {})", place.topic, place.partition, number, offset,
          pinned.manifest->end_of(range.partition), range.begin, range.end.offset);
  }
}

// Against the logs: where both have a row, it is the same, and each has all that the other has.
void Judge::check_tables() {
  for (const auto& [place, seen] : pinned_) {
    const auto log = read_.find(place);
    if (log == read_.end()) continue;
    std::vector<std::pair<std::int64_t, std::int64_t>> of_table;
    std::vector<std::pair<std::int64_t, std::int64_t>> of_log;
    const std::int64_t begin = std::max(seen.begin, log->second.begin);
    for (const Row& row : seen.rows) {
      if (row.offset >= begin) of_table.emplace_back(row.offset, row.number);
    }
    for (const Row& row : log->second.rows) {
      const bool in_both = row.offset >= begin && row.offset < seen.end && !is_withheld(place, row);
      if (in_both) of_log.emplace_back(row.offset, row.number);
    }
    if (of_table != of_log) {
      wrong("table", "{}-{}: {} rows from offset {} on, {} in the log", place.topic, place.partition, of_table.size(), begin,
            of_log.size());
    }
  }
  // A table with rows that everybody may see exists.
  for (const auto& [place, seen] : read_) {
    const TopicKnown& topic = history_.topics.at(place.topic);
    if (!topic.compacted && !seen.rows.empty() && !pinned_.contains(place) && !is_withheld(place, seen.rows.front())) {
      wrong("table", "{}-{} has {} rows and is no table", place.topic, place.partition, seen.rows.size());
    }
  }
}

}  // namespace tripos::sim
