#include "app/demo/pipeline.h"

#include <chrono>
#include <cstdio>

#include "app/cli/batch_text.h"
#include "app/cli/loading.h"
#include "app/cli/table_shape.h"
#include "app/cli/terminal.h"
#include "app/cli/topic_text.h"
#include "app/render/cell.h"
#include "app/render/column_type.h"
#include "client/consumer.h"
#include "client/topics.h"
#include "exam/report.h"

namespace tripos::app {
namespace {

void heading(std::string_view text) { fmt::print("\n== {} ==\n", text); }
void command(std::string_view text) { fmt::print("\n$ {}\n", text); }

std::string keys_of(const std::vector<JsonMember>& members) {
  std::string keys;
  for (const JsonMember& member : members) keys += (keys.empty() ? "" : ", ") + member.key;
  return keys;
}

Result<std::string_view> member(const std::vector<JsonMember>& members, std::string_view key) {
  for (const JsonMember& candidate : members) {
    if (candidate.key == key) return candidate.value;
  }
  return fail(ErrorCode::not_found, "the first message has no key '{}'", key);
}

}  // namespace

Result<> Pipeline::run() {
  TRIPOS_TRY(create_topic());
  TRIPOS_TRY(load());
  TRIPOS_TRY(look_at_messages());
  TRIPOS_TRY(first_message_keys());
  TRIPOS_TRY(print_schema());
  TRIPOS_TRY(write_parquet());
  TRIPOS_TRY(popularity());
  TRIPOS_TRY(exams_table());
  TRIPOS_TRY(proficiency());
  return corrected_proficiency();
}

Result<> Pipeline::ask(const std::string& sql) {
  command(fmt::format("tripos sql -o show \"{}\"", sql));
  TRIPOS_TRY(write_query(http_, {.sql = sql}, OutputForm::show, stdout));
  return {};
}

Result<> Pipeline::show(const std::string& table) {
  command("tripos show " + table);
  const ShowOptions options;
  const std::size_t row_count_max = options.row_count_max + 1;  // one more, to see whether there is more
  TRIPOS_ASSIGN(const Rows rows, fetch_rows(http_, {.sql = fmt::format("SELECT * FROM {} LIMIT {}", table, row_count_max)}, row_count_max));
  fmt::print("{}", show_table(rows.titles(), rows.rows, options));
  return {};
}

Result<> Pipeline::create_topic() {
  heading("Topic");
  command(fmt::format("tripos topic create {} --partitions 1", options_.topic));
  TRIPOS_TRY(client::create_topic(kafka_, {.name = options_.topic, .partition_count = 1, .replication_factor = 1, .configs = {}}));
  fmt::print("Created topic {}.\n", options_.topic);
  command(fmt::format("tripos topic describe {}", options_.topic));
  TRIPOS_ASSIGN(const client::TopicMetadata topic, client::describe_topic(kafka_, options_.topic));
  TRIPOS_ASSIGN(const std::string text, topic_description(kafka_, topic));
  fmt::print("{}", text);
  return {};
}

Result<> Pipeline::load() {
  heading("Messages");
  command(fmt::format("tripos load {} {}", options_.topic, options_.file));
  const Loading loading{.topic = options_.topic, .files = {options_.file}};
  Loaded loaded;
  TRIPOS_TRY(load_files(connections_, loading, loaded));
  fmt::print("{}\n", loaded_text(loading, loaded));
  message_count_ = loaded.new_count;
  return {};
}

Result<> Pipeline::look_at_messages() {
  TRIPOS_TRY(ask(fmt::format("SELECT COUNT(*) FROM {}_messages", options_.topic)));
  TRIPOS_TRY(show(options_.topic + "_messages"));
  return ask(fmt::format("SELECT CAST(key AS STRING), CAST(value AS STRING) FROM {}_messages LIMIT 20", options_.topic));
}

Result<> Pipeline::first_message_keys() {
  heading("The first message");
  command(fmt::format("tripos consume {} --from-beginning --max-messages 1", options_.topic));
  std::string value;
  client::Consumer consumer(kafka_, options_.topic, {{.index = 0, .position = 0, .end = {}}}, {.fetch_bytes_max = 1});
  TRIPOS_TRY(consumer.poll([&](std::int32_t, const Record& record) -> Result<bool> {
    value = record.value.value_or(Bytes());
    return false;
  }));
  fmt::print("{}\n", value);
  TRIPOS_ASSIGN(const auto top, json_members(value));
  TRIPOS_ASSIGN(const std::string_view sequences_text, member(top, "sequences"));
  TRIPOS_ASSIGN(const auto sequences, json_members(sequences_text));
  fmt::print("\nIts keys:            {}\nof sequences:        {}\n", keys_of(top), keys_of(sequences));
  if (const auto counts_text = member(sequences, "counts")) {
    TRIPOS_ASSIGN(const auto counts, json_members(*counts_text));
    fmt::print("of sequences.counts: {}\n", keys_of(counts));
  }
  return {};
}

Result<> Pipeline::print_schema() {
  heading("Schema");
  command(fmt::format("tripos schema {}", options_.topic));
  TRIPOS_ASSIGN(const Rows rows, fetch_rows(http_, {.sql = fmt::format("SELECT * FROM {} LIMIT 0", options_.topic)}, 0));
  fmt::print("{}", schema_tree(rows.columns));
  return {};
}

Result<> Pipeline::write_parquet() {
  heading("Parquet");
  command(fmt::format("tripos batch run {}", options_.topic));
  TRIPOS_ASSIGN(const std::string written,
                fetch_text(http_, {.method = "POST", .target = "/v1/batch?topic=" + client::url_encoded(options_.topic)}));
  TRIPOS_ASSIGN(const std::string text, batch_text(written));
  fmt::print("{}", text);
  TRIPOS_TRY(show(options_.topic));
  return ask(fmt::format("SELECT COUNT(*) FROM {}", options_.topic));
}

Result<> Pipeline::popularity() {
  heading("Which exams are taken");
  const std::string& table = options_.topic;
  TRIPOS_TRY(ask(fmt::format("SELECT exam_name FROM {} LIMIT 10", table)));
  TRIPOS_TRY(ask(fmt::format("SELECT COUNT(exam_name) FROM {}", table)));
  TRIPOS_TRY(ask(fmt::format("SELECT COUNT(DISTINCT {0}.exam_name) FROM {0}", table)));
  TRIPOS_TRY(
      ask(fmt::format("SELECT exam_name, COUNT(exam_name) as exam_count FROM {} GROUP BY exam_name ORDER BY exam_count DESC", table)));
  return ask(
      fmt::format("SELECT exam_name, COUNT(exam_name) as exam_count FROM {} GROUP BY exam_name ORDER BY exam_count ASC LIMIT 10", table));
}

Result<> Pipeline::exams_table() {
  heading("What each sitting came to");
  const std::string select = fmt::format(
      "SELECT user_exam_id, exam_name, sequences.counts.all_correct, sequences.counts.correct, sequences.counts.incomplete, "
      "sequences.counts.incorrect, sequences.counts.submitted, sequences.counts.total, sequences.counts.unanswered FROM {}",
      options_.topic);
  const std::string path = options_.directory + "/exams_table.parquet";
  command(fmt::format("tripos sql --to {} \"{}\"", path, select));
  TRIPOS_ASSIGN(const std::uint64_t size, save_query(http_, {.sql = select}, path));
  fmt::print("Wrote {} ({}).\n", path, readable_bytes(size));
  TRIPOS_TRY(ask(fmt::format("CREATE OR REPLACE VIEW exams_table AS SELECT * FROM '{}'", path)));
  return show("exams_table");
}

Result<> Pipeline::proficiency() {
  heading("How well");
  for (const auto& [view, value] : {std::pair{"All_True", "true"}, {"Not_All_True", "false"}}) {
    const std::string name = value == std::string_view("true") ? "all_true" : "not_all_true";
    TRIPOS_TRY(ask(
        fmt::format("CREATE OR REPLACE TEMP VIEW {0} AS SELECT exam_name, COUNT(all_correct) as {1} FROM exams_table WHERE all_correct = "
                    "'{2}' GROUP BY exam_name ORDER BY {1} DESC",
                    name, view, value)));
    TRIPOS_TRY(ask("SELECT * FROM " + name));
  }
  const std::string join =
      "SELECT t1.exam_name, t1.All_True, t2.Not_All_True, ROUND(t1.All_True/(t1.All_True+t2.Not_All_True), 2) as Proficiency "
      "FROM all_true as t1 FULL OUTER JOIN not_all_true as t2 ON t1.exam_name=t2.exam_name ORDER BY ";
  TRIPOS_TRY(ask(join + "Proficiency DESC"));
  return ask(join + "t1.All_True DESC");
}

Result<> Pipeline::corrected_proficiency() {
  heading("The true proficiency: an exam whose attempts are all of one kind has 1 or 0, not NULL");
  command("tripos report proficiency --table " + options_.topic + " -n 20 -o show");
  TRIPOS_ASSIGN(const exam::Report* report, exam::find_report("proficiency"));
  TRIPOS_ASSIGN(const exam::TableShape shape, fetch_shape(http_, options_.topic));
  exam::ReportOptions first_rows;
  first_rows.limit = 20;
  TRIPOS_ASSIGN(const std::string sql, exam::report_sql(*report, shape, first_rows));
  TRIPOS_TRY(write_query(http_, {.sql = sql}, OutputForm::show, stdout));
  return {};
}

}  // namespace tripos::app
