#include "lambda/tables.h"

#include <algorithm>

#include "base/check.h"

namespace tripos::lambda {

namespace {
constexpr int pin_attempts_max = 5;

// Whether what lies below the manifest's ends is taken from its files. A compacted topic's table is the last value of each key,
// which the log alone tells; messages and rejected values are kept by the log alone.
bool in_files(TableKind kind, const TopicDescription& topic) { return kind == TableKind::rows && !topic.compacted; }
}  // namespace

std::vector<TableFile> PinnedTable::files() const {
  std::vector<TableFile> belonging;
  if (!in_files(kind, topic)) return belonging;
  for (const ManifestFile& file : manifest->files) {
    const auto range = std::ranges::find(ranges, file.partition, &PartitionRange::partition);
    const Offset deleted_below = range == ranges.end() ? Offset(0) : range->deleted_below;
    if (file.end > deleted_below) belonging.push_back({.file = &file, .begin = std::max(file.begin, deleted_below)});
  }
  return belonging;
}

Result<Pin> Tables::pin(std::span<const TableReference> references) {
  for (int attempt = 1;; ++attempt) {
    const TableNames names(source_.topics());
    std::vector<Wanted> wanted;
    for (const TableReference& reference : references) {
      TRIPOS_ASSIGN(const auto table, names.resolve(reference));
      wanted.push_back({.name = table.name, .kind = table.kind, .topic = *table.topic});
    }
    auto pin = pin_wanted(wanted);
    // A topic that was deleted since its name was looked up: the names may mean others now.
    const bool vanished = !pin && pin.error().code == ErrorCode::unavailable;
    if (!vanished || attempt == pin_attempts_max) {
      if (!pin) return pin;
      for (const PinnedTable& table : pin->tables) {
        if (table.kind == TableKind::rows && table.schema.kind() != json::TypeKind::structure) {
          return fail(ErrorCode::not_found, "topic {} is no table yet: it has no JSON object; {}_messages shows its records",
                      table.topic.name, table.topic.name);
        }
        for (const TableFile& file : table.files()) TRIPOS_TRY(files_.check(table.topic.id, *file.file));
      }
      return pin;
    }
  }
}

Result<PinnedTable> Tables::pin_rows(const TopicDescription& topic, PinnedRows which) {
  const Wanted wanted[] = {{.name = topic.name, .kind = TableKind::rows, .topic = topic, .settled = which == PinnedRows::settled}};
  TRIPOS_ASSIGN(Pin pin, pin_wanted(wanted));
  return std::move(pin.tables.front());
}

Result<Pin> Tables::pin_wanted(std::span<const Wanted> wanted) {
  for (int attempt = 1;; ++attempt) {
    auto pin = pin_once(wanted);
    if (pin || pin.error().code != ErrorCode::conflict || attempt == pin_attempts_max) return pin;
  }
}

// unavailable: a topic has vanished. conflict: a manifest has moved on; it was loaded, make the pin again.
Result<Pin> Tables::pin_once(std::span<const Wanted> wanted) {
  const Locked locked = lock(wanted);
  std::vector<RangeRequest> requests;
  for (const Wanted& want : wanted) {
    Table& state = *locked.at(want.topic.id).first;
    TRIPOS_TRY(load(want.topic, state));
    for (PartitionId partition(0); partition.value() < want.topic.partition_count; ++partition) {
      const Offset begin = in_files(want.kind, want.topic) ? state.manifest->end_of(partition) : Offset(0);
      requests.push_back({.partition = {.topic = want.topic.id, .partition = partition}, .begin = begin, .settled = want.settled});
    }
  }
  // What is to be learned belongs to the same moment, so that the schema covers exactly the pin.
  const std::size_t table_range_count = requests.size();
  for (const auto& [id, entry] : locked) {
    for (std::size_t i = 0; i < table_range_count; ++i) {
      const TopicPartition place = requests[i].partition;
      if (place.topic == id) requests.push_back({.partition = place, .begin = entry.first->schema->learned_end(place.partition)});
    }
  }
  auto ranges = source_.ranges(requests);
  if (!ranges) {
    if (ranges.error().code != ErrorCode::not_found) return tl::unexpected(std::move(ranges).error());
    return fail(ErrorCode::unavailable, "a topic of the statement was deleted at this moment: ask again");
  }
  CHECK(ranges->size() == requests.size());
  for (std::size_t i = table_range_count; i < requests.size(); ++i) {
    TRIPOS_TRY(locked.at(requests[i].partition.topic).first->schema->learn((*ranges)[i]));
  }

  Pin pin;
  std::size_t next = 0;
  for (const Wanted& want : wanted) {
    Table& state = *locked.at(want.topic.id).first;
    PinnedTable table{.name = want.name, .kind = want.kind, .topic = want.topic, .manifest = state.manifest, .schema = {}, .ranges = {}};
    for (std::int32_t count = 0; count < want.topic.partition_count; ++count, ++next) {
      const bool trimmed = (*ranges)[next].begin > std::max(requests[next].begin, (*ranges)[next].deleted_below);
      if (in_files(want.kind, want.topic) && trimmed) {
        TRIPOS_ASSIGN(const Manifest stored, manifests_.load(want.topic.id));
        if (stored.version > state.manifest->version) {
          state.manifest.reset();
          return fail(ErrorCode::conflict, "the manifest of topic {} has moved on", want.topic.name);
        }
      }
      table.ranges.push_back(std::move((*ranges)[next]));
    }
    pin.tables.push_back(std::move(table));
  }
  for (PinnedTable& table : pin.tables) {
    if (table.kind == TableKind::rows) table.schema = locked.at(table.topic.id).first->schema->type();
  }
  return pin;
}

Result<std::vector<std::string>> Tables::names() {
  TRIPOS_TRY(learn());
  const TableNames names(source_.topics());
  std::vector<std::string> shown;
  for (const auto& [key, entry] : names.tables()) {
    if (entry.kind == TableKind::rows) {
      const auto state = table(entry.topic->id);
      const std::lock_guard lock(state->mutex);
      if (!state->schema || !state->schema->has_rows()) continue;
    }
    shown.push_back(entry.name);
  }
  std::sort(shown.begin(), shown.end());
  return shown;
}

Result<bool> Tables::covers(std::span<const Awaited> awaited) {
  const auto topics = source_.topics();
  std::vector<RangeRequest> requests;
  for (const Awaited& await : awaited) {
    const auto topic = std::find_if(topics.begin(), topics.end(), [&](const auto& known) { return known.name == await.topic; });
    if (topic == topics.end()) return fail(ErrorCode::not_found, "wait for {}:{}: there is no such topic", await.topic, await.partition);
    if (await.partition.value() < 0 || await.partition.value() >= topic->partition_count) {
      return fail(ErrorCode::not_found, "wait for {}:{}: the topic has {} partitions", await.topic, await.partition,
                  topic->partition_count);
    }
    requests.push_back({.partition = {.topic = topic->id, .partition = await.partition}, .begin = await.offset});
  }
  TRIPOS_ASSIGN(const auto ranges, source_.ranges(requests));
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    if (ranges[i].end.offset <= awaited[i].offset) return false;
    for (const TransactionRange& withheld : ranges[i].withheld) {
      if (withheld.first <= awaited[i].offset && awaited[i].offset <= withheld.last) return false;
    }
  }
  return true;
}

Result<bool> Tables::learn() {
  const TableNames names(source_.topics());
  forget_deleted(names.topics());
  std::vector<RangeRequest> requests;
  for (const TopicDescription& topic : names.topics()) {
    const auto state = table(topic.id);
    const std::lock_guard lock(state->mutex);
    if (!load(topic, *state)) continue;  // a damaged table: its questions say so
    for (PartitionId partition(0); partition.value() < topic.partition_count; ++partition) {
      requests.push_back({.partition = {.topic = topic.id, .partition = partition}, .begin = state->schema->learned_end(partition)});
    }
  }
  auto learned = learn_ranges(requests);
  if (learned || learned.error().code == ErrorCode::cancelled) return learned;
  // One topic is damaged, or was deleted at this moment: the others are not to suffer from it. Its questions say what it is.
  bool any = false;
  for (std::size_t begin = 0, end = 0; begin < requests.size(); begin = end) {
    while (end < requests.size() && requests[end].partition.topic == requests[begin].partition.topic) ++end;
    any = learn_ranges(std::span(requests).subspan(begin, end - begin)).value_or(false) || any;
  }
  return any;
}

Result<bool> Tables::learn_ranges(std::span<const RangeRequest> requests) {
  TRIPOS_ASSIGN(const auto ranges, source_.ranges(requests));
  bool learned = false;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    if (ranges[i].slices.empty()) continue;
    const auto state = table(requests[i].partition.topic);
    const std::lock_guard lock(state->mutex);
    // A pin that came in between has learned further: these ends are older than its own.
    if (!state->schema || state->schema->learned_end(ranges[i].partition) != requests[i].begin) continue;
    TRIPOS_TRY(state->schema->learn(ranges[i]));
    learned = true;
  }
  return learned;
}

Result<> Tables::commit(const PinnedTable& pinned, Manifest next, std::span<const store::Publication> files) {
  CHECK(next.version == pinned.manifest->version + 1 && next.topic_id == pinned.topic.id);
  // Without the table's lock: until the new manifest is put in below, pins go on with the old one, which stays right.
  auto committed = manifests_.commit(next, files);
  const auto state = table(pinned.topic.id);
  const std::lock_guard lock(state->mutex);
  if (!committed) {
    state->manifest.reset();  // perhaps it is there: the next one who asks reads what is stored
    return committed;
  }
  if (state->manifest && state->manifest->version < next.version) state->manifest = std::make_shared<const Manifest>(std::move(next));
  return {};
}

std::shared_ptr<Tables::Table> Tables::table(const TopicId& topic) {
  const std::lock_guard lock(tables_mutex_);
  auto& entry = tables_[topic];
  if (!entry) entry = std::make_shared<Table>();
  return entry;
}

Tables::Locked Tables::lock(std::span<const Wanted> wanted) {
  Locked locked;
  for (const Wanted& want : wanted) locked.try_emplace(want.topic.id);
  for (auto& [id, entry] : locked) {  // in the order of ids, always: no two pins wait for each other
    entry.first = table(id);
    entry.second = std::unique_lock(entry.first->mutex);
  }
  return locked;
}

Result<> Tables::load(const TopicDescription& topic, Table& table) const {
  const json::TypeLimits limits{.fields_max = topic.table_fields_max};
  if (table.schema) table.schema->set_limits(limits);
  if (table.manifest) return {};
  TRIPOS_ASSIGN(Manifest manifest, manifests_.load(topic.id));
  // What was learned before stays true; only the start and a rival's manifest bring something new.
  TRIPOS_ASSIGN(SchemaTracker tracker, SchemaTracker::from(manifest));
  if (!table.schema) {
    TRIPOS_TRY(manifests_.remove_orphans(manifest));
    tracker.set_limits(limits);
    table.schema = std::move(tracker);
  } else {
    table.schema->merge(tracker);
  }
  table.manifest = std::make_shared<const Manifest>(std::move(manifest));
  return {};
}

void Tables::forget_deleted(const std::vector<TopicDescription>& topics) {
  std::set<TopicId> known;
  for (const TopicDescription& topic : topics) known.insert(topic.id);
  const std::lock_guard lock(tables_mutex_);
  std::erase_if(tables_, [&known](const auto& entry) { return !known.contains(entry.first); });
}

}  // namespace tripos::lambda
