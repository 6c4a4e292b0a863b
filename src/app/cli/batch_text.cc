#include "app/cli/batch_text.h"

#include <charconv>
#include <cstdint>
#include <vector>

#include "app/cli/terminal.h"
#include "app/render/cell.h"

namespace tripos::app {
namespace {

class Object {
 public:
  [[nodiscard]] static Result<Object> parse(std::string_view json) {
    Object object;
    TRIPOS_ASSIGN(object.members_, json_members(json));
    return object;
  }
  [[nodiscard]] bool has(std::string_view key) const { return !text(key).empty(); }
  // The member's JSON; empty if it is missing.
  [[nodiscard]] std::string_view text(std::string_view key) const {
    for (const JsonMember& member : members_) {
      if (member.key == key) return member.value;
    }
    return {};
  }
  [[nodiscard]] std::string string(std::string_view key) const { return json_string_value(text(key)).value_or(std::string()); }
  [[nodiscard]] std::uint64_t number(std::string_view key) const {
    std::uint64_t value = 0;
    const std::string_view digits = text(key);
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
  }
  [[nodiscard]] Result<std::vector<Object>> objects(std::string_view key) const {
    std::vector<Object> found;
    if (!has(key)) return found;
    TRIPOS_ASSIGN(const std::vector<std::string_view> elements, json_elements(text(key)));
    for (const std::string_view element : elements) {
      TRIPOS_ASSIGN(Object object, parse(element));
      found.push_back(std::move(object));
    }
    return found;
  }

 private:
  std::vector<JsonMember> members_;
};

std::string counted(std::uint64_t count, std::string_view what) {
  return fmt::format("{} {}{}", grouped(count), what, count == 1 ? "" : "s");
}

}  // namespace

Result<std::string> batch_text(std::string_view json) {
  TRIPOS_ASSIGN(const Object answer, Object::parse(json));
  TRIPOS_ASSIGN(const std::vector<Object> tables, answer.objects("tables"));
  std::string text;
  for (const Object& table : tables) {
    text += table.string("topic");
    if (table.has("new_rows")) {
      text += table.number("new_files") == 0
                  ? fmt::format(": {}", table.string("outcome"))
                  : fmt::format(": wrote {} ({}) in {}", counted(table.number("new_rows"), "row"),
                                readable_bytes(table.number("new_bytes")), counted(table.number("new_files"), "file"));
    }
    text += fmt::format("; Parquet holds {} ({}) in {}, manifest {}\n", counted(table.number("rows"), "row"),
                        readable_bytes(table.number("bytes")), counted(table.number("files"), "file"), table.number("manifest"));
    TRIPOS_ASSIGN(const std::vector<Object> partitions, table.objects("partitions"));
    for (const Object& partition : partitions) {
      text += fmt::format("  partition {}: offsets below {} are in Parquet\n", partition.number("partition"), partition.number("end"));
    }
    TRIPOS_ASSIGN(const std::vector<Object> live, table.objects("live"));
    for (const Object& range : live) {
      text += fmt::format("  partition {}: offsets below {} are in Parquet, from there to {} in the log ({})\n", range.number("partition"),
                          range.number("begin"), range.number("end"), readable_bytes(range.number("log_bytes")));
    }
  }
  return text;
}

}  // namespace tripos::app
