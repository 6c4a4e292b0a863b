// tripos log verify|dump: on the files of a data directory, without a server, changing nothing
#include <cstdio>
#include <optional>

#include "app/cli/command.h"
#include "app/cli/listing.h"
#include "app/render/cell.h"
#include "app/server/offline_directory.h"
#include "broker/produced_batch.h"
#include "io/real/posix_file_system.h"
#include "log/paths.h"
#include "log/verify.h"

namespace tripos::app {
namespace {

using log::Finding;

std::string_view to_string(Finding::Kind kind) {
  switch (kind) {
    case Finding::Kind::damage: return "DAMAGE";
    case Finding::Kind::warning: return "warning";
    case Finding::Kind::note: return "note";
  }
  return "";
}

struct LogVerify {
  static constexpr CommandInfo info = {"verify", "Check every batch, record, index, snapshot and manifest of a data directory",
                                       "  tripos log verify --data /var/lib/tripos\n"
                                       "  tripos log verify --topic exams -o json"};
  std::string topic;
  std::string form_name = "table";

  void flags(Flags& flags) {
    flags.option("--topic", topic, "Only this topic", "TOPIC");
    flags.option("-o,--output", form_name, listing_form_names, "FORM");
  }

  Result<> run(Session& session) {
    TRIPOS_ASSIGN(const ListingForm form, listing_form(form_name));
    TRIPOS_ASSIGN(const Settings settings, session.settings());
    io::PosixFileSystem files;
    OfflineDirectory directory(files, settings.data);
    TRIPOS_ASSIGN(const auto topics, directory.topics());
    Listing listing({"topic", "partition", "segments", "batches", "records", "bytes", "start", "end", "verdict"});
    TRIPOS_ASSIGN(std::vector<Finding> findings, directory.journal());
    bool found_topic = topic.empty();
    for (const OfflineTopic& each : topics) {
      if (!topic.empty() && each.name != topic) continue;
      found_topic = true;
      for (const auto& partition : each.partitions) {
        TRIPOS_ASSIGN(const log::PartitionVerdict verdict, directory.verify(partition));
        listing.add({each.name, partition.text, static_cast<std::int64_t>(verdict.segments), static_cast<std::int64_t>(verdict.batches),
                     static_cast<std::int64_t>(verdict.records), static_cast<std::int64_t>(verdict.bytes), verdict.start.value(),
                     verdict.end.value(), worst(verdict.findings)});
        findings.insert(findings.end(), verdict.findings.begin(), verdict.findings.end());
      }
      const std::vector<Finding> of_table = directory.verify_table(each);
      findings.insert(findings.end(), of_table.begin(), of_table.end());
    }
    if (!found_topic) return fail(ErrorCode::not_found, "there is no topic {} in {}", topic, settings.data);
    fmt::print("{}", listing.text(form));
    std::size_t damaged = 0;
    for (const Finding& finding : findings) {
      fmt::print(stderr, "{}: {} at byte {}: {}\n", to_string(finding.kind), finding.path, finding.position, finding.what);
      if (finding.kind == Finding::Kind::damage) ++damaged;
    }
    if (damaged == 0) return {};
    return fail(
        ErrorCode::corrupt,
        "{} places are damaged. Nothing was changed: keep a copy of the directory before you do. A partition that a server refuses can "
        "be loaded anew from its source; records in its table's Parquet files are safe",
        damaged);
  }

  static std::string worst(const std::vector<Finding>& findings) {
    std::string text = "ok";
    for (const Finding& finding : findings) {
      if (finding.kind == Finding::Kind::damage) return "DAMAGED";
      if (finding.kind == Finding::Kind::warning) text = "warning";
    }
    return text;
  }
};

struct LogDump {
  static constexpr CommandInfo info = {"dump", "The batches of a segment file, or of a partition, one a line; --records: what is in them",
                                       "  tripos log dump exams:0\n"
                                       "  tripos log dump exams:0 --records -n 10\n"
                                       "  tripos log dump /var/lib/tripos/meta/00000000000000000000.log -o jsonl"};
  std::string target;
  bool records = false;
  std::optional<std::uint64_t> limit;
  std::string form_name = "table";

  void flags(Flags& flags) {
    flags.option("target", target, "TOPIC:PARTITION, or a segment's file", "TARGET").required();
    flags.flag("--records", records, "The records instead");
    flags.option("-n,--limit", limit, "Only the first so many", "N");
    flags.choice("-o,--output", form_name, "Lines for people, or a JSON object each", std::vector<std::string>{"table", "jsonl"});
  }

  [[nodiscard]] Result<std::vector<std::string>> paths(io::FileSystem& files, const Settings& settings) const {
    if (target.ends_with(".log")) return std::vector<std::string>{target};
    return OfflineDirectory(files, settings.data).segments(target);
  }

  // False: enough.
  bool take() { return !limit || (*limit > 0 && (*limit)-- > 0); }

  void print(const std::vector<std::pair<std::string, ListingCell>>& fields) const {
    std::string line;
    for (const auto& [name, cell] : fields) {
      const auto* text = std::get_if<std::string>(&cell);
      const auto* number = std::get_if<std::int64_t>(&cell);
      const std::string quoted = text != nullptr ? json_string(*text) : number != nullptr ? std::to_string(*number) : "null";
      if (form_name == "jsonl") {
        line += fmt::format("{}{}:{}", line.empty() ? "{" : ",", json_string(name), quoted);
      } else {
        line += fmt::format("{}{}: {}", line.empty() ? "" : " ", name, quoted);
      }
    }
    fmt::print("{}{}\n", line, form_name == "jsonl" ? "}" : "");
  }

  void print_batch(const RecordBatchView& batch, std::uint64_t position) const {
    print({{"baseOffset", batch.base_offset().value()},
           {"lastOffset", batch.last_offset().value()},
           {"count", std::int64_t{batch.record_count()}},
           {"baseSequence", std::int64_t{batch.base_sequence().value()}},
           {"producerId", batch.producer_id().value()},
           {"producerEpoch", std::int64_t{batch.producer_epoch().value()}},
           {"partitionLeaderEpoch", std::int64_t{batch.leader_epoch().value()}},
           {"isTransactional", std::string(batch.is_transactional() ? "true" : "false")},
           {"isControl", std::string(batch.is_control() ? "true" : "false")},
           {"position", static_cast<std::int64_t>(position)},
           {"maxTimestamp", batch.max_timestamp_ms()},
           {"size", static_cast<std::int64_t>(batch.bytes().size())},
           {"compression", std::string(tripos::to_string(batch.compression()))}});
  }

  Result<bool> print_records(RecordReader& reader, const RecordBatchView& batch) {
    const auto cell = [](const std::optional<Bytes>& bytes) { return bytes ? ListingCell(std::string(*bytes)) : ListingCell(); };
    TRIPOS_TRY(reader.start(batch));
    while (true) {
      TRIPOS_ASSIGN(const Record* record, reader.next());
      if (record == nullptr) return true;
      if (!take()) return false;
      print({{"offset", record->offset.value()},
             {"timestamp", record->timestamp_ms},
             {"headers", std::int64_t{record->header_count}},
             {"key", cell(record->key)},
             {"value", cell(record->value)}});
    }
  }

  Result<> run(Session& session) {
    TRIPOS_ASSIGN(const Settings settings, session.settings());
    io::PosixFileSystem files;
    TRIPOS_ASSIGN(const auto chosen, paths(files, settings));
    RecordReader reader(broker::decompressed_size_max);
    bool enough = false;
    for (const std::string& path : chosen) {
      TRIPOS_ASSIGN(const auto file, files.open(path, io::OpenMode::read));
      const auto visit = [&](const RecordBatchView& batch, std::uint64_t position) -> Result<> {
        if (records) {
          TRIPOS_ASSIGN(const bool more, print_records(reader, batch));
          enough = !more;
        } else if (take()) {
          print_batch(batch, position);
        } else {
          enough = true;
        }
        if (enough) return fail(ErrorCode::cancelled, "");
        return {};
      };
      auto walked = log::for_each_batch_of(*file, visit);
      if (enough) return {};
      if (!walked) return walked;
    }
    return {};
  }
};

struct Log {
  static constexpr CommandInfo info = {"log", "The files of a data directory, read without a server",
                                       "  tripos log verify\n"
                                       "  tripos log dump exams:0 --records -n 10"};
  void flags(Flags& flags) { flags.require_command(); }
  Result<> run(Session&) { return {}; }
};

}  // namespace

void add_log(const Commands& root) {
  const Commands log = root.add<Log>();
  log.add<LogVerify>();
  log.add<LogDump>();
}

}  // namespace tripos::app
