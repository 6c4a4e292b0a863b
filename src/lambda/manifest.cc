#include "lambda/manifest.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/crc32c.h"

namespace tripos::lambda {

namespace {

namespace dom = simdjson::dom;

constexpr int format_version = 1;
constexpr std::string_view crc_field = ",\n\"crc32c\": \"";

// A JSON string. Types hold any text; names of topics and files are plain.
void append_string(std::string& to, std::string_view text) {
  to.push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      to.push_back('\\');
      to.push_back(c);
    } else if (byte < 0x20) {
      to.append(fmt::format("\\u{:04x}", byte));
    } else {
      to.push_back(c);
    }
  }
  to.push_back('"');
}

std::string json_text(std::string_view text) {
  std::string to;
  append_string(to, text);
  return to;
}

// Writes `[`, the elements one a line, `]`.
template <typename List, typename Write>
std::string lines(const List& list, Write write) {
  std::string to = "[";
  for (const auto& element : list) {
    to.append(to.size() == 1 ? "\n  " : ",\n  ");
    to.append(write(element));
  }
  return to + "]";
}

// Reads members of an object; the first that is missing or of another type makes `ok` false.
class Members {
 public:
  explicit Members(dom::element object) : object_(object) {}

  std::int64_t integer(const char* key) {
    std::int64_t value = 0;
    ok = !object_[key].get(value) && value >= 0 && ok;
    return value;
  }
  std::int32_t small(const char* key) {
    const std::int64_t value = integer(key);
    ok = ok && value <= INT32_MAX;
    return static_cast<std::int32_t>(value);
  }
  std::int64_t integer_or_zero(const char* key) { return object_[key].error() == simdjson::NO_SUCH_FIELD ? 0 : integer(key); }
  // Eight hexadecimal digits.
  std::optional<std::uint32_t> checksum_or_none(const char* key) {
    if (object_[key].error() == simdjson::NO_SUCH_FIELD) return std::nullopt;
    const std::string digits = string(key);
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    ok = ok && digits.size() == 8 && error == std::errc() && end == digits.data() + digits.size();
    return value;
  }
  std::string string(const char* key) {
    std::string_view value;
    ok = !object_[key].get(value) && ok;
    return std::string(value);
  }
  template <typename Read>
  void each(const char* key, Read read) {
    dom::array array;
    ok = !object_[key].get(array) && ok;
    if (!ok) return;
    for (const dom::element element : array) {
      Members members(element);
      read(members);
      ok = ok && members.ok;
    }
  }

  bool ok = true;

 private:
  dom::element object_;
};

std::string_view broken_invariant(const Manifest& manifest) {
  if (manifest.version == 0) return "its version is 0";
  if (!std::is_sorted(manifest.partitions.begin(), manifest.partitions.end(),
                      [](const auto& a, const auto& b) { return a.partition < b.partition; })) {
    return "its partitions are not sorted";
  }
  std::set<SchemaId> schemas;
  for (const auto& schema : manifest.schemas) {
    if (!schemas.insert(schema.id).second) return "two of its schemas have the same id";
  }
  if (manifest.schema != SchemaId(0) && !schemas.contains(manifest.schema)) return "its schema is missing";
  const ManifestFile* previous = nullptr;
  for (const ManifestFile& file : manifest.files) {
    if (file.begin >= file.end) return "a file's range is empty";
    if (file.end > manifest.end_of(file.partition)) return "a file goes beyond its partition's end";
    if (!schemas.contains(file.schema)) return "a file's schema is missing";
    if (file.name.empty() || file.name.find('/') != std::string::npos) return "a file's name is not one";
    if (previous != nullptr &&
        (file.partition < previous->partition || (file.partition == previous->partition && file.begin < previous->end))) {
      return "its files are not sorted, or overlap";
    }
    previous = &file;
  }
  return {};
}

}  // namespace

Offset Manifest::end_of(PartitionId partition) const noexcept {
  for (const auto& entry : partitions) {
    if (entry.partition == partition) return entry.end;
  }
  return Offset(0);
}

const std::string& Manifest::schema_text(SchemaId id) const noexcept {
  static const std::string none = "void";
  for (const auto& entry : schemas) {
    if (entry.id == id) return entry.type;
  }
  return none;
}

std::string Manifest::text() const {
  std::string to = fmt::format(
      "{{\n\"format\": {},\n\"version\": {},\n\"topic_id\": {},\n\"topic\": {},\n\"created_ms\": {},\n\"schema\": {},\n\"schemas\": {},\n"
      "\"partitions\": {},\n\"files\": {}",
      format_version, version, json_text(topic_id.text()), json_text(topic), created.time_since_epoch().count(), schema,
      lines(schemas,
            [](const ManifestSchema& entry) { return fmt::format(R"({{"id": {}, "type": {}}})", entry.id, json_text(entry.type)); }),
      lines(partitions,
            [](const ManifestPartition& entry) {
              return fmt::format(R"({{"partition": {}, "end": {}, "rejected": {}}})", entry.partition, entry.end, entry.rejected_count);
            }),
      lines(files, [](const ManifestFile& file) {
        return fmt::format(
            R"({{"name": {}, "partition": {}, "begin": {}, "end": {}, "rows": {}, "rejected": {}, "tombstones": {}, "lost": {}, )"
            R"("bytes": {},{} "schema": {}}})",
            json_text(file.name), file.partition, file.begin, file.end, file.row_count, file.rejected_count, file.tombstone_count,
            file.lost_count, file.size_bytes, file.crc32c ? fmt::format(R"( "crc32c": "{:08x}",)", *file.crc32c) : "", file.schema);
      }));
  const auto checksum = crc32c(to);
  return to + fmt::format("{}{:08x}\"\n}}\n", crc_field, checksum);
}

Result<Manifest> Manifest::parse(Bytes text, std::string_view where) {
  const auto crc_at = text.rfind(crc_field);
  if (crc_at == Bytes::npos || text.substr(crc_at) != fmt::format("{}{:08x}\"\n}}\n", crc_field, crc32c(text.substr(0, crc_at)))) {
    return fail(ErrorCode::corrupt, "{}: not a whole manifest: its checksum is missing or wrong", where);
  }
  dom::parser parser;
  dom::element root;
  if (parser.parse(text.data(), text.size()).get(root)) return fail(ErrorCode::corrupt, "{}: not JSON", where);
  Members members(root);
  Manifest manifest;
  if (members.integer("format") != format_version) {
    return fail(ErrorCode::unsupported, "{}: written by another version of Tripos (format {} is known)", where, format_version);
  }
  manifest.version = static_cast<std::uint64_t>(members.integer("version"));
  auto topic_id = Uuid::from_text(members.string("topic_id"));
  if (!topic_id) return fail(ErrorCode::corrupt, "{}: topic_id: {}", where, topic_id.error().message);
  manifest.topic_id = *topic_id;
  manifest.topic = members.string("topic");
  manifest.created = WallTime(WallClock::duration(members.integer("created_ms")));
  manifest.schema = SchemaId(members.small("schema"));
  members.each("schemas", [&](Members& m) { manifest.schemas.push_back({.id = SchemaId(m.small("id")), .type = m.string("type")}); });
  members.each("partitions", [&](Members& m) {
    manifest.partitions.push_back(
        {.partition = PartitionId(m.small("partition")), .end = Offset(m.integer("end")), .rejected_count = m.integer("rejected")});
  });
  members.each("files", [&](Members& m) {
    manifest.files.push_back({.name = m.string("name"),
                              .partition = PartitionId(m.small("partition")),
                              .begin = Offset(m.integer("begin")),
                              .end = Offset(m.integer("end")),
                              .row_count = m.integer("rows"),
                              .rejected_count = m.integer("rejected"),
                              .tombstone_count = m.integer("tombstones"),
                              .lost_count = m.integer_or_zero("lost"),
                              .size_bytes = static_cast<std::uint64_t>(m.integer("bytes")),
                              .crc32c = m.checksum_or_none("crc32c"),
                              .schema = SchemaId(m.small("schema"))});
  });
  if (!members.ok) return fail(ErrorCode::corrupt, "{}: a member is missing or of another type", where);
  if (const auto broken = broken_invariant(manifest); !broken.empty()) return fail(ErrorCode::corrupt, "{}: {}", where, broken);
  return manifest;
}

std::string manifest_name(std::uint64_t version) { return fmt::format("manifest-{:020}.json", version); }

std::optional<std::uint64_t> manifest_version(std::string_view file_name) {
  constexpr std::string_view prefix = "manifest-";
  constexpr std::string_view suffix = ".json";
  constexpr std::size_t digit_count = 20;
  if (file_name.size() != prefix.size() + digit_count + suffix.size() || !file_name.starts_with(prefix) || !file_name.ends_with(suffix)) {
    return std::nullopt;
  }
  std::uint64_t version = 0;
  for (const char digit : file_name.substr(prefix.size(), digit_count)) {
    if (digit < '0' || digit > '9' || version > (UINT64_MAX - 9) / 10) return std::nullopt;
    version = version * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  return version;
}

std::string parquet_name(const TopicId& topic, PartitionId partition, Offset begin, Offset end, SchemaId schema) {
  return fmt::format("{}.p{}.{:020}-{:020}.s{}.parquet", topic.text(), partition, begin, end, schema);
}

}  // namespace tripos::lambda
