// tripos topic create|list|describe|delete, and the spellings of kafka-topics
#include <cstdio>

#include "app/cli/command.h"
#include "app/cli/topic_text.h"
#include "client/topics.h"

namespace tripos::app {
namespace {

using client::KafkaConnection;

struct Creation {
  std::string name;
  std::int32_t partitions = -1;
  std::int16_t replication_factor = -1;
  std::vector<std::string> configs;  // KEY=VALUE
  bool if_not_exists = false;
};

// True: made. False: it was there, and that is fine.
Result<bool> create(KafkaConnection& connection, const Creation& creation) {
  client::NewTopic topic{
      .name = creation.name, .partition_count = creation.partitions, .replication_factor = creation.replication_factor, .configs = {}};
  for (const std::string& config : creation.configs) {
    const std::size_t equals = config.find('=');
    if (equals == std::string::npos)
      return fail(ErrorCode::invalid_argument, "--config takes KEY=VALUE, as in retention.ms=1000, not '{}'", config);
    topic.configs.emplace_back(config.substr(0, equals), config.substr(equals + 1));
  }
  auto created = client::create_topic(connection, topic);
  if (created) return true;
  if (creation.if_not_exists && created.error().code == ErrorCode::already_exists) return false;
  return tl::unexpected(std::move(created).error());
}

Result<> list(KafkaConnection& connection, bool exclude_internal) {
  TRIPOS_ASSIGN(const auto topics, client::list_topics(connection));
  for (const client::TopicMetadata& topic : topics) {
    if (!exclude_internal || !topic.internal) fmt::print("{}\n", topic.name);
  }
  return {};
}

Result<> describe(KafkaConnection& connection, const std::string& name) {
  if (!name.empty()) {
    TRIPOS_ASSIGN(const auto topic, client::describe_topic(connection, name));
    TRIPOS_ASSIGN(const std::string text, topic_description(connection, topic));
    fmt::print("{}", text);
    return {};
  }
  TRIPOS_ASSIGN(const auto topics, client::list_topics(connection));
  for (const client::TopicMetadata& topic : topics) {
    TRIPOS_ASSIGN(const std::string text, topic_description(connection, topic));
    fmt::print("{}", text);
  }
  return {};
}

struct TopicCreate {
  static constexpr CommandInfo info = {"create", "Make a topic",
                                       "  tripos topic create exams\n"
                                       "  tripos topic create exams --partitions 4 --config retention.ms=604800000"};
  Creation creation;

  void flags(Flags& flags) {
    flags.option("topic", creation.name, "Its name", "NAME").required();
    flags.option("--partitions", creation.partitions, "How many partitions; the broker's default if not given", "N");
    flags.option("--replication-factor", creation.replication_factor, "Accepted for scripts; there is one server", "N");
    flags.option("--config", creation.configs, "A topic property", "KEY=VALUE");
    flags.flag("--if-not-exists", creation.if_not_exists, "Fine if the topic exists");
  }
  Result<> run(Session& session) {
    TRIPOS_ASSIGN(KafkaConnection connection, session.connect_kafka());
    TRIPOS_ASSIGN(const bool created, create(connection, creation));
    if (created) {
      fmt::print(stderr, "Created topic {}. Next: tripos load {} FILE\n", creation.name, creation.name);
    } else {
      fmt::print(stderr, "Topic {} exists.\n", creation.name);
    }
    return {};
  }
};

struct TopicList {
  static constexpr CommandInfo info = {"list", "Names of all topics", "  tripos topic list"};
  bool exclude_internal = false;

  void flags(Flags& flags) { flags.flag("--exclude-internal", exclude_internal, "Leave out the broker's own topics"); }
  Result<> run(Session& session) {
    TRIPOS_ASSIGN(KafkaConnection connection, session.connect_kafka());
    return list(connection, exclude_internal);
  }
};

struct TopicDescribe {
  static constexpr CommandInfo info = {"describe", "Partitions and properties, as kafka-topics shows them",
                                       "  tripos topic describe exams"};
  std::string name;

  void flags(Flags& flags) { flags.option("topic", name, "Its name; all topics if not given", "NAME"); }
  Result<> run(Session& session) {
    TRIPOS_ASSIGN(KafkaConnection connection, session.connect_kafka());
    return describe(connection, name);
  }
};

struct TopicDelete {
  static constexpr CommandInfo info = {"delete", "Remove a topic with all that it holds, its table too",
                                       "  tripos topic delete exams --confirm exams\n"
                                       "  tripos topic delete exams --dry-run"};
  std::string name;
  std::string confirm;
  bool dry_run = false;
  bool if_exists = false;

  void flags(Flags& flags) {
    flags.option("topic", name, "Its name", "NAME").required();
    flags.option("--confirm", confirm, "The topic's name once more", "NAME");
    flags.flag("--dry-run", dry_run, "Only say what would be removed");
    flags.flag("--if-exists", if_exists, "Fine if there is no such topic");
  }
  Result<> run(Session& session) {
    TRIPOS_ASSIGN(KafkaConnection connection, session.connect_kafka());
    auto topic = client::describe_topic(connection, name);
    if (!topic && topic.error().code == ErrorCode::not_found && if_exists) return {};
    if (!topic) return tl::unexpected(std::move(topic).error());
    if (dry_run) {
      fmt::print(stderr, "Would remove topic {} with its {} partitions and its table.\n", name, topic->partitions.size());
      return {};
    }
    if (confirm != name) return fail(ErrorCode::invalid_argument, "this removes topic {} for good: say --confirm {}", name, name);
    TRIPOS_TRY(client::delete_topic(connection, name));
    fmt::print(stderr, "Deleted topic {}.\n", name);
    return {};
  }
};

// `tripos topic --create --topic exams …`: what kafka-topics understands.
struct KafkaTopics {
  static constexpr CommandInfo info = {"topic", "Create, list, describe, delete topics",
                                       "  tripos topic create exams --partitions 1\n"
                                       "  tripos topic list\n"
                                       "  tripos topic --create --topic exams --partitions 1 --replication-factor 1 --if-not-exists"};
  bool create_ = false;
  bool list_ = false;
  bool describe_ = false;
  bool delete_ = false;
  bool if_exists = false;
  bool exclude_internal = false;
  Creation creation;
  std::string zookeeper;
  std::string bootstrap_server;

  void flags(Flags& flags) {
    const auto spelling = [](const FlagOption& option) { option.group("Spellings of kafka-topics"); };
    spelling(flags.flag("--create", create_, "topic create"));
    spelling(flags.flag("--list", list_, "topic list"));
    spelling(flags.flag("--describe", describe_, "topic describe"));
    spelling(flags.flag("--delete", delete_, "topic delete"));
    spelling(flags.option("--topic", creation.name, "The topic", "NAME"));
    spelling(flags.option("--partitions", creation.partitions, "How many partitions", "N"));
    spelling(flags.option("--replication-factor", creation.replication_factor, "Accepted; there is one server", "N"));
    spelling(flags.option("--config", creation.configs, "A topic property", "KEY=VALUE"));
    spelling(flags.flag("--if-not-exists", creation.if_not_exists, "Fine if the topic exists"));
    spelling(flags.flag("--if-exists", if_exists, "Fine if there is no such topic"));
    spelling(flags.flag("--exclude-internal", exclude_internal, "Leave out the broker's own topics"));
    spelling(flags.option("--bootstrap-server", bootstrap_server, "The same as --kafka", "HOST:PORT"));
    spelling(flags.option("--zookeeper", zookeeper, "Accepted and not needed", "ANY"));
  }

  Result<> run(Session& session) {
    const int verbs = int{create_} + int{list_} + int{describe_} + int{delete_};
    if (verbs != 1) {
      return fail(ErrorCode::invalid_argument, "one of create, list, describe, delete, as in: tripos topic create {}",
                  creation.name.empty() ? "exams" : creation.name);
    }
    if (!zookeeper.empty()) fmt::print(stderr, "--zookeeper is not needed: Tripos has none.\n");
    if (!bootstrap_server.empty()) session.global.kafka = bootstrap_server;
    if ((create_ || delete_) && creation.name.empty()) return fail(ErrorCode::invalid_argument, "--topic NAME is missing");
    TRIPOS_ASSIGN(KafkaConnection connection, session.connect_kafka());
    if (list_) return list(connection, exclude_internal);
    if (describe_) return describe(connection, creation.name);
    if (delete_) {
      auto deleted = client::delete_topic(connection, creation.name);
      if (!deleted && if_exists && deleted.error().code == ErrorCode::not_found) return {};
      return deleted;
    }
    TRIPOS_ASSIGN(const bool created, create(connection, creation));
    if (created) fmt::print("Created topic {}.\n", creation.name);
    return {};
  }
};

}  // namespace

void add_topic(const Commands& root) {
  const Commands topic = root.add<KafkaTopics>();
  topic.add<TopicCreate>();
  topic.add<TopicList>();
  topic.add<TopicDescribe>();
  topic.add<TopicDelete>();
}

}  // namespace tripos::app
