#include "query/view_catalog.h"

#include <simdjson.h>

#include <algorithm>

#include "lambda/table_names.h"
#include "query/json_text.h"

namespace tripos::query {

namespace {

constexpr PartitionId partition{0};
constexpr std::size_t view_size_max = std::size_t{1} << 20;

std::string definition_of(const protocol::View& view) {
  return fmt::format(R"({{"name":{},"text":{}}})", json_text(view.name), json_text(view.text));
}

}  // namespace

Result<std::vector<protocol::View>> ViewCatalog::views() {
  const std::lock_guard lock(mutex_);
  TRIPOS_TRY(read_on());
  std::vector<protocol::View> all;
  for (const auto& [key, view] : views_) all.push_back(view);
  return all;
}

Result<> ViewCatalog::change(const protocol::ViewChange& change) {
  using Kind = protocol::ViewChangeKind;
  if (change.name.empty() || change.name.size() + change.text.size() > view_size_max) {
    return fail(ErrorCode::invalid_argument, "view {}: its name is empty, or it is larger than {} bytes", change.name, view_size_max);
  }
  // Held until the record is durable: of two who create the same view one is told that it exists.
  const std::lock_guard lock(mutex_);
  TRIPOS_TRY(read_on());
  const std::string key = lambda::in_lower_case(change.name);
  const bool exists = views_.contains(key);
  NewRecord record{.key = key, .value = std::nullopt, .timestamp = std::nullopt};
  switch (change.kind) {
    case Kind::create:
      if (exists) return fail(ErrorCode::already_exists, "view {} exists already: use CREATE OR REPLACE VIEW", change.name);
      break;
    case Kind::create_if_missing:
      if (exists) return {};
      break;
    case Kind::create_or_replace: break;
    case Kind::drop:
      if (!exists) return fail(ErrorCode::not_found, "there is no view {}", change.name);
      break;
    case Kind::drop_if_exists:
      if (!exists) return {};
      break;
  }
  const bool drops = change.kind == Kind::drop || change.kind == Kind::drop_if_exists;
  if (!drops) record.value = definition_of({.name = change.name, .text = change.text});
  NewRecords records{.topic = std::string(topic), .partition = partition, .records = {}};
  records.records.push_back(std::move(record));
  TRIPOS_TRY(sink_.append(std::move(records)));
  return {};
}

Result<> ViewCatalog::read_on() {
  const auto topics = source_.topics();
  const auto found = std::find_if(topics.begin(), topics.end(), [](const auto& known) { return known.name == topic; });
  if (found == topics.end()) return {};
  if (found->id != topic_id_) {
    topic_id_ = found->id;
    next_ = Offset(0);
    views_.clear();
  }
  const RangeRequest request{.partition = {.topic = topic_id_, .partition = partition}, .begin = next_};
  TRIPOS_ASSIGN(const auto ranges, source_.ranges({&request, 1}));
  if (auto read = scan_.scan(ranges.front(), [this](const Record& record) { take(record); }); !read) {
    return tl::unexpected(std::move(read).error().within("the views can't be read"));
  }
  next_ = std::max(next_, ranges.front().end.offset);
  return {};
}

void ViewCatalog::take(const Record& record) {
  if (!record.key) return;
  const std::string key(*record.key);
  if (!record.value) {
    views_.erase(key);
    return;
  }
  simdjson::dom::parser parser;
  simdjson::dom::element definition;
  std::string_view name;
  std::string_view text;
  // What is no definition, somebody else has put there: not a view.
  if (parser.parse(record.value->data(), record.value->size()).get(definition) || definition["name"].get(name) ||
      definition["text"].get(text)) {
    return;
  }
  views_[key] = {.name = std::string(name), .text = std::string(text)};
}

}  // namespace tripos::query
