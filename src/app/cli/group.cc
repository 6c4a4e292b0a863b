// tripos group list|describe|reset|delete
#include <algorithm>
#include <cstdio>

#include "app/cli/command.h"
#include "app/cli/listing.h"
#include "app/cli/offset_reset.h"
#include "client/groups.h"
#include "client/topics.h"

namespace tripos::app {
namespace {

using client::KafkaConnection;
using client::OffsetAt;
using client::TopicAndPartition;

struct GroupList {
  static constexpr CommandInfo info = {"list", "All consumer groups, with their states",
                                       "  tripos group list\n"
                                       "  tripos group list -o json"};
  std::string form_name = "table";

  void flags(Flags& flags) { flags.option("-o,--output", form_name, listing_form_names, "FORM"); }
  Result<> run(Session& session) {
    TRIPOS_ASSIGN(const ListingForm form, listing_form(form_name));
    TRIPOS_ASSIGN(KafkaConnection connection, session.connect_kafka());
    TRIPOS_ASSIGN(const auto groups, client::list_groups(connection));
    Listing listing({"group", "state", "protocol"});
    for (const auto& group : groups) listing.add({group.id, group.state, group.protocol_type});
    fmt::print("{}", listing.text(form));
    return {};
  }
};

// The start and the end of each of these partitions.
struct Ends {
  std::map<TopicAndPartition, std::int64_t> start;
  std::map<TopicAndPartition, std::int64_t> end;
};

Result<std::map<TopicAndPartition, std::int64_t>> offsets_at(KafkaConnection& connection, const std::vector<TopicAndPartition>& places,
                                                             std::int64_t timestamp_ms) {
  std::map<std::string, std::vector<std::int32_t>> topics;
  for (const TopicAndPartition& place : places) topics[place.topic].push_back(place.partition);
  std::map<TopicAndPartition, std::int64_t> found;
  for (const auto& [topic, partitions] : topics) {
    TRIPOS_ASSIGN(const auto offsets,
                  client::list_offsets(connection, topic, partitions, timestamp_ms, client::Isolation::read_uncommitted));
    for (std::size_t i = 0; i < partitions.size(); ++i) found[{.topic = topic, .partition = partitions[i]}] = offsets[i];
  }
  return found;
}

Result<Ends> ends_of(KafkaConnection& connection, const std::vector<TopicAndPartition>& places) {
  Ends ends;
  TRIPOS_ASSIGN(ends.start, offsets_at(connection, places, static_cast<std::int64_t>(OffsetAt::earliest)));
  TRIPOS_ASSIGN(ends.end, offsets_at(connection, places, static_cast<std::int64_t>(OffsetAt::latest)));
  return ends;
}

struct GroupDescribe {
  static constexpr CommandInfo info = {"describe", "How far a group has come in each partition, and who consumes it",
                                       "  tripos group describe marking\n"
                                       "  tripos group describe marking --members"};
  std::string name;
  bool members = false;
  std::string form_name = "table";

  void flags(Flags& flags) {
    flags.option("group", name, "Its name", "GROUP").required();
    flags.flag("--members", members, "Its members and their partitions");
    flags.option("-o,--output", form_name, listing_form_names, "FORM");
  }

  static Result<std::string> lags(KafkaConnection& connection, const client::GroupDescription& group, ListingForm form) {
    TRIPOS_ASSIGN(const client::GroupOffsets committed, client::committed_offsets(connection, group.id));
    std::map<TopicAndPartition, const client::GroupMember*> owners;
    for (const auto& [place, offset] : committed) owners[place] = nullptr;
    for (const client::GroupMember& member : group.members) {
      for (const TopicAndPartition& place : member.assignment) owners[place] = &member;
    }
    std::vector<TopicAndPartition> places;
    for (const auto& [place, owner] : owners) places.push_back(place);
    TRIPOS_ASSIGN(const auto ends, offsets_at(connection, places, static_cast<std::int64_t>(OffsetAt::latest)));
    Listing listing({"group", "topic", "partition", "current_offset", "log_end_offset", "lag", "consumer_id", "host", "client_id"});
    for (const auto& [place, owner] : owners) {
      std::vector<ListingCell> row = {group.id, place.topic, std::int64_t{place.partition}, {}, ends.at(place), {}, {}, {}, {}};
      if (const auto offset = committed.find(place); offset != committed.end()) {
        row[3] = offset->second.offset;
        row[5] = std::max<std::int64_t>(0, ends.at(place) - offset->second.offset);
      }
      if (owner != nullptr) {
        row[6] = owner->id;
        row[7] = owner->host;
        row[8] = owner->client_id;
      }
      listing.add(std::move(row));
    }
    return listing.text(form);
  }

  static std::string members_of(const client::GroupDescription& group, ListingForm form) {
    Listing listing({"group", "consumer_id", "instance_id", "host", "client_id", "partitions", "assignment"});
    for (const client::GroupMember& member : group.members) {
      std::string assignment;
      for (const auto& place : member.assignment) {
        assignment += fmt::format("{}{}:{}", assignment.empty() ? "" : ",", place.topic, place.partition);
      }
      std::vector<ListingCell> row = {
          group.id, member.id, {}, member.host, member.client_id, static_cast<std::int64_t>(member.assignment.size()), assignment};
      if (member.instance_id) row[2] = *member.instance_id;
      listing.add(std::move(row));
    }
    return listing.text(form);
  }

  Result<> run(Session& session) {
    TRIPOS_ASSIGN(const ListingForm form, listing_form(form_name));
    TRIPOS_ASSIGN(KafkaConnection connection, session.connect_kafka());
    TRIPOS_ASSIGN(const client::GroupDescription group, client::describe_group(connection, name));
    fmt::print(stderr, "Group {}: {}{}, {} members.\n", name, group.state, group.protocol.empty() ? "" : " (" + group.protocol + ")",
               group.members.size());
    std::string text;
    if (members) {
      text = members_of(group, form);
    } else {
      TRIPOS_ASSIGN(text, lags(connection, group, form));
    }
    fmt::print("{}", text);
    return {};
  }
};

struct GroupReset {
  static constexpr CommandInfo info = {"reset", "Put a group's offsets elsewhere; only shows what it would do without --execute",
                                       "  tripos group reset marking --topic exams --to-earliest\n"
                                       "  tripos group reset marking --topic exams:0,1 --to-datetime 2024-05-01T12:00:00 --execute\n"
                                       "  tripos group reset marking --all-topics --shift-by -100 --execute"};
  std::string name;
  std::vector<std::string> topics;
  bool all_topics = false;
  bool earliest = false;
  bool latest = false;
  bool current = false;
  std::string date_time;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> shift;
  bool execute = false;
  bool dry_run = false;
  std::string form_name = "table";

  void flags(Flags& flags) {
    flags.option("group", name, "Its name", "GROUP").required();
    flags.option("--topic", topics, "This topic, or these partitions of it", "TOPIC[:PARTITION,…]");
    flags.flag("--all-topics", all_topics, "All topics that the group has committed offsets of");
    flags.flag("--to-earliest", earliest, "To the start of the log");
    flags.flag("--to-latest", latest, "To its end");
    flags.flag("--to-current", current, "To what is committed, or the end where nothing is");
    flags.option("--to-datetime", date_time, "To the first record at or after this time (UTC without a zone)", "TIME");
    flags.option("--to-offset", offset, "To this offset", "N");
    flags.option("--shift-by", shift, "From what is committed forward, or back (negative)", "N");
    flags.flag("--execute", execute, "Do it");
    flags.flag("--dry-run", dry_run, "Only show it (what happens without --execute)");
    flags.option("-o,--output", form_name, listing_form_names, "FORM");
  }

  [[nodiscard]] Result<OffsetReset> wanted() const {
    const int given =
        int{earliest} + int{latest} + int{current} + int{!date_time.empty()} + int{offset.has_value()} + int{shift.has_value()};
    if (given != 1) {
      return fail(ErrorCode::invalid_argument,
                  "say where to, once: --to-earliest, --to-latest, --to-current, --to-datetime, --to-offset or --shift-by");
    }
    if (latest) return OffsetReset{.to = OffsetReset::To::latest};
    if (current) return OffsetReset{.to = OffsetReset::To::current};
    if (offset) return OffsetReset{.to = OffsetReset::To::offset, .value = *offset};
    if (shift) return OffsetReset{.to = OffsetReset::To::shift, .value = *shift};
    if (date_time.empty()) return OffsetReset{.to = OffsetReset::To::earliest};
    TRIPOS_ASSIGN(const std::int64_t time_ms, parse_date_time(date_time));
    return OffsetReset{.to = OffsetReset::To::time, .value = time_ms};
  }

  [[nodiscard]] Result<std::vector<TopicAndPartition>> places(KafkaConnection& connection, const client::GroupOffsets& committed) const {
    std::vector<TopicAndPartition> found;
    if (all_topics == !topics.empty()) return fail(ErrorCode::invalid_argument, "say which: --topic TOPIC, or --all-topics");
    if (all_topics) {
      for (const auto& [place, at] : committed) found.push_back(place);
      if (found.empty()) return fail(ErrorCode::not_found, "group {} has committed no offsets: name the topic", name);
      return found;
    }
    for (const std::string& text : topics) {
      TRIPOS_ASSIGN(const ResetTopic topic, parse_reset_topic(text));
      TRIPOS_ASSIGN(const client::TopicMetadata metadata, client::describe_topic(connection, topic.topic));
      for (const std::int32_t partition : topic.partitions) {
        if (std::ranges::find(metadata.partitions, partition, &client::PartitionMetadata::index) == metadata.partitions.end()) {
          return fail(ErrorCode::not_found, "topic {} has no partition {}", topic.topic, partition);
        }
        found.push_back({.topic = topic.topic, .partition = partition});
      }
      if (!topic.partitions.empty()) continue;
      for (const auto& partition : metadata.partitions) found.push_back({.topic = topic.topic, .partition = partition.index});
    }
    std::ranges::sort(found);
    found.erase(std::ranges::unique(found).begin(), found.end());
    return found;
  }

  // What each of the places is set to.
  static Result<client::GroupOffsets> plan(KafkaConnection& connection, const OffsetReset& reset,
                                           const std::vector<TopicAndPartition>& places, const client::GroupOffsets& committed) {
    TRIPOS_ASSIGN(const Ends ends, ends_of(connection, places));
    std::map<TopicAndPartition, std::int64_t> at_time;
    if (reset.to == OffsetReset::To::time) {
      TRIPOS_ASSIGN(at_time, offsets_at(connection, places, std::max<std::int64_t>(0, reset.value)));
    }
    client::GroupOffsets planned;
    for (const TopicAndPartition& place : places) {
      const auto at = committed.find(place);
      const std::int64_t now = at == committed.end() ? -1 : at->second.offset;
      const auto time = at_time.find(place);
      auto to = reset_offset(reset, now, ends.start.at(place), ends.end.at(place), time == at_time.end() ? 0 : time->second);
      if (!to) return tl::unexpected(std::move(to).error().within(fmt::format("partition {} of topic {}", place.partition, place.topic)));
      const bool was_named = reset.to == OffsetReset::To::offset && *to != reset.value;
      if (was_named) {
        fmt::print(stderr, "Partition {} of topic {} has offsets {} to {}: {} is out of it.\n", place.partition, place.topic,
                   ends.start.at(place), ends.end.at(place), reset.value);
      }
      planned[place] = {.offset = *to, .metadata = {}};
    }
    return planned;
  }

  Result<> run(Session& session) {
    TRIPOS_ASSIGN(const ListingForm form, listing_form(form_name));
    if (execute && dry_run) return fail(ErrorCode::invalid_argument, "--execute or --dry-run, not both");
    TRIPOS_ASSIGN(const OffsetReset reset, wanted());
    TRIPOS_ASSIGN(KafkaConnection connection, session.connect_kafka());
    // A group that nobody has used yet may be given offsets to begin with.
    auto group = client::describe_group(connection, name);
    if (!group && group.error().code != ErrorCode::not_found) return tl::unexpected(std::move(group).error());
    if (group && group->is_active()) {
      return fail(ErrorCode::conflict, "group {} is {} with {} members: stop its consumers first, nothing was changed", name, group->state,
                  group->members.size());
    }
    TRIPOS_ASSIGN(const client::GroupOffsets committed, client::committed_offsets(connection, name));
    TRIPOS_ASSIGN(const auto chosen, places(connection, committed));
    TRIPOS_ASSIGN(const client::GroupOffsets planned, plan(connection, reset, chosen, committed));
    if (execute) TRIPOS_TRY(client::commit_offsets(connection, name, planned));
    Listing listing({"group", "topic", "partition", "current_offset", "new_offset"});
    for (const auto& [place, to] : planned) {
      const auto at = committed.find(place);
      listing.add({name, place.topic, std::int64_t{place.partition}, at == committed.end() ? ListingCell() : ListingCell(at->second.offset),
                   to.offset});
    }
    fmt::print("{}", listing.text(form));
    fmt::print(stderr, "{}", execute ? "Done.\n" : "Nothing was changed: this is what --execute would do.\n");
    return {};
  }
};

struct GroupDelete {
  static constexpr CommandInfo info = {"delete", "Remove a group and what it has committed",
                                       "  tripos group delete marking --confirm marking"};
  std::string name;
  std::string confirm;
  bool dry_run = false;

  void flags(Flags& flags) {
    flags.option("group", name, "Its name", "GROUP").required();
    flags.option("--confirm", confirm, "The group's name once more", "GROUP");
    flags.flag("--dry-run", dry_run, "Only say what would be removed");
  }
  Result<> run(Session& session) {
    TRIPOS_ASSIGN(KafkaConnection connection, session.connect_kafka());
    TRIPOS_ASSIGN(const client::GroupDescription group, client::describe_group(connection, name));
    TRIPOS_ASSIGN(const client::GroupOffsets committed, client::committed_offsets(connection, name));
    if (dry_run) {
      fmt::print(stderr, "Would remove group {} ({}), which has committed offsets of {} partitions.\n", name, group.state,
                 committed.size());
      return {};
    }
    if (confirm != name) return fail(ErrorCode::invalid_argument, "this removes group {} for good: say --confirm {}", name, name);
    TRIPOS_TRY(client::delete_group(connection, name));
    fmt::print(stderr, "Deleted group {}.\n", name);
    return {};
  }
};

struct Group {
  static constexpr CommandInfo info = {"group", "Consumer groups: how far they are, and putting them elsewhere",
                                       "  tripos group list\n"
                                       "  tripos group describe marking\n"
                                       "  tripos group reset marking --topic exams --to-earliest --execute"};
  void flags(Flags& flags) { flags.require_command(); }
  Result<> run(Session&) { return {}; }
};

}  // namespace

void add_group(const Commands& root) {
  const Commands group = root.add<Group>();
  group.add<GroupList>();
  group.add<GroupDescribe>();
  group.add<GroupReset>();
  group.add<GroupDelete>();
}

}  // namespace tripos::app
