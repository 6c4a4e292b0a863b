// What server and worker say to each other (docs/format/worker_protocol.md).
//
// A worker is configured once and says Ready. From then on it runs one order at a time, each ended by Done or Failed:
//
//   server                         worker
//   Statement{text, views}    →
//                             ←    NeedTables{names}             at most once, all names of the statement and of the views in it
//   Pinned{tables} | Refused  →                                  the descriptors of the log's files come with it
//                             ←    ViewChange{kind, name, text}  CREATE VIEW, DROP VIEW: after the view's text was bound
//   ViewChanged | Refused     →                                  once it is durable
//                             ←    Columns, then Rows… or ParquetChunk…
//                             ←    Done | Failed
//   WriteRange{range, path}   →
//                             ←    Wrote, Done | Failed
//   Interrupt{order}          →    any time; the order ends as Failed{cancelled}, unless it has ended before
//
// After Refused the order ends with Failed, in the words of the refusal. A worker that breaks these rules is killed.
// Values only: descriptors travel beside the frame (channel.h) and are named by their index.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "model/ids.h"

// The fields of a message, in the order in which they are sent.
#define TRIPOS_PROTOCOL_FIELDS(...)               \
  auto fields() { return std::tie(__VA_ARGS__); } \
  auto fields() const { return std::tie(__VA_ARGS__); }

namespace tripos::protocol {

inline constexpr std::uint32_t version = 3;

// ---- what is pinned ------------------------------------------------------------------------------------------------

enum class TableKind : std::uint8_t {
  rows,      // the topic's JSON objects, as columns
  messages,  // every record, in the seven columns of Spark's Kafka source
  rejected,  // what is not a row: partition, offset, reason, the value's first 64 KB
  last = rejected,
};

// A Parquet file of the manifest: its rows of the records [begin, end) of one partition.
struct PinnedFile {
  std::string path;
  PartitionId partition;
  Offset begin;
  Offset end;
  bool holds_more = false;      // rows below `begin`, too, which were deleted on request
  std::int64_t lost_count = 0;  // rows that have more in __tripos_lost than their columns tell
  std::string schema;           // json::Type's text; fields of type void are not in the file
  TRIPOS_PROTOCOL_FIELDS(path, partition, begin, end, holds_more, lost_count, schema)
};

// Whole record batches: the bytes [begin, end) of the file with that descriptor; their offsets lie in [from, to).
struct PinnedSlice {
  std::uint32_t descriptor = 0;  // index among the descriptors that came with the message
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  Offset from{0};
  Offset to = offset_max;
  std::string file = {};  // its path, for errors
  TRIPOS_PROTOCOL_FIELDS(descriptor, begin, end, from, to, file)
};

// A transaction that was aborted: this producer's transactional batches in [first, last].
struct PinnedAborted {
  ProducerId producer_id;
  Offset first;
  Offset last;
  TRIPOS_PROTOCOL_FIELDS(producer_id, first, last)
};

// The log's records [begin, end) of one partition. Batches at the borders may hold more: the worker drops it, and what was aborted.
struct PinnedRange {
  PartitionId partition;
  Offset begin;
  Offset end;
  std::vector<PinnedSlice> slices;
  std::vector<PinnedAborted> aborted;  // by their first offsets
  TRIPOS_PROTOCOL_FIELDS(partition, begin, end, slices, aborted)
};

// A table as of the statement's pin: files ∪ ranges, disjoint, sorted by partition and offset.
struct PinnedTable {
  std::string name;  // as asked for (NeedTables)
  TableKind kind = TableKind::rows;
  TopicId topic_id;
  std::string topic;
  bool compacted = false;  // rows: only the last value of each key counts; such a table has no files, ranges start with the log
  std::string schema;      // json::Type's text, covers all rows; "void" where there is none yet. Used by kind rows only
  std::vector<PinnedFile> files;
  std::vector<PinnedRange> ranges;
  TRIPOS_PROTOCOL_FIELDS(name, kind, topic_id, topic, compacted, schema, files, ranges)
};

struct View {
  std::string name;
  std::string text;  // as the worker gave it in ViewChange
  TRIPOS_PROTOCOL_FIELDS(name, text)
};

// ---- server to worker ----------------------------------------------------------------------------------------------

enum class Role : std::uint8_t { statements, snapshots, last = snapshots };

// The first message. What a worker may do can't be changed afterwards.
struct Configure {
  std::uint32_t protocol_version = version;
  Role role = Role::statements;
  std::uint64_t memory_bytes_max = 0;  // RLIMIT_DATA; 0: none
  std::uint32_t thread_count = 1;
  std::int32_t nice = 0;
  std::string temporary_directory;         // the worker's own, exists and is empty
  std::vector<std::string> allowed_paths;  // files and directories that statements may read and write (the operator's choice)
  std::string table_directory;             // holds the tables' files; statements can't name what lies in it
  TRIPOS_PROTOCOL_FIELDS(protocol_version, role, memory_bytes_max, thread_count, nice, temporary_directory, allowed_paths, table_directory)
};

enum class Output : std::uint8_t {
  json,     // Columns, then Rows
  parquet,  // Columns, then the bytes of one Parquet file in ParquetChunks
  last = parquet,
};

struct Statement {
  std::uint64_t order = 0;  // grows by one with each order of this worker
  std::string text;
  std::vector<View> views;
  Output output = Output::json;
  std::uint64_t row_count_max = 0;  // more rows: Failed{too_large}; 0: no limit
  TRIPOS_PROTOCOL_FIELDS(order, text, views, output, row_count_max)
};

// Answers NeedTables, one table for each name asked for, in that order.
struct Pinned {
  std::vector<PinnedTable> tables;
  std::vector<std::string> table_names;  // of all tables, sorted, if they were asked for
  TRIPOS_PROTOCOL_FIELDS(tables, table_names)
};

// Answers NeedTables or ViewChange: no.
struct Refused {
  ErrorCode code = ErrorCode::query;
  std::string message;
  TRIPOS_PROTOCOL_FIELDS(code, message)
};

struct ViewChanged {
  TRIPOS_PROTOCOL_FIELDS()
};

struct KeyValue {
  std::string key;
  std::string value;
  TRIPOS_PROTOCOL_FIELDS(key, value)
};

// Writes the rows of one range, in offset order, as a Parquet file at `path`, which does not exist. The server syncs it.
struct WriteRange {
  std::uint64_t order = 0;
  TopicId topic_id;
  std::string topic;
  std::string schema;  // json::Type's text; fields of type void are left out
  PinnedRange range;
  std::string path;
  std::vector<KeyValue> footer;  // for the file's key-value metadata
  TRIPOS_PROTOCOL_FIELDS(order, topic_id, topic, schema, range, path, footer)
};

struct Interrupt {
  std::uint64_t order = 0;
  TRIPOS_PROTOCOL_FIELDS(order)
};

// ---- worker to server ----------------------------------------------------------------------------------------------

struct Ready {
  std::string engine_version;
  TRIPOS_PROTOCOL_FIELDS(engine_version)
};

struct TableName {
  std::string qualifier;  // "" or what stood before the point: "topics"
  std::string name;       // as written, without quotes
  TRIPOS_PROTOCOL_FIELDS(qualifier, name)
};

// All tables that the statement needs, those below its views included; names of views are not among them.
struct NeedTables {
  std::vector<TableName> names;
  bool list_names = false;  // SHOW TABLES and the like: Pinned::table_names is wanted
  TRIPOS_PROTOCOL_FIELDS(names, list_names)
};

enum class ViewChangeKind : std::uint8_t { create, create_or_replace, create_if_missing, drop, drop_if_exists, last = drop_if_exists };

struct ViewChange {
  ViewChangeKind kind = ViewChangeKind::create;
  std::string name;
  std::string text;  // what the worker needs to bind the view again; "" for drops
  TRIPOS_PROTOCOL_FIELDS(kind, name, text)
};

struct Column {
  std::string name;
  std::string type;  // Spark's DDL
  TRIPOS_PROTOCOL_FIELDS(name, type)
};

struct Columns {
  std::vector<Column> columns;
  TRIPOS_PROTOCOL_FIELDS(columns)
};

// A piece of the rows' JSON text. All pieces together are `[…],[…],…`: one array a row, commas between, cut anywhere.
struct Rows {
  Buffer text;
  TRIPOS_PROTOCOL_FIELDS(text)
};

// A piece of the bytes of the Parquet file.
struct ParquetChunk {
  Buffer bytes;
  TRIPOS_PROTOCOL_FIELDS(bytes)
};

struct Wrote {
  std::int64_t row_count = 0;
  std::int64_t rejected_count = 0;
  std::int64_t tombstone_count = 0;
  std::int64_t lost_count = 0;
  std::uint64_t file_bytes = 0;
  TRIPOS_PROTOCOL_FIELDS(row_count, rejected_count, tombstone_count, lost_count, file_bytes)
};

struct Done {
  std::uint64_t row_count = 0;  // of the answer
  TRIPOS_PROTOCOL_FIELDS(row_count)
};

struct Failed {
  ErrorCode code = ErrorCode::query;
  std::string message;
  bool worker_ends = false;  // it can answer no more: another one is needed for the next order
  TRIPOS_PROTOCOL_FIELDS(code, message, worker_ends)
};

// ---- as bytes ------------------------------------------------------------------------------------------------------

// The order of the alternatives is the number on the wire: new ones at the end.
using ToWorker = std::variant<Configure, Statement, Pinned, Refused, ViewChanged, WriteRange, Interrupt>;
using ToServer = std::variant<Ready, NeedTables, ViewChange, Columns, Rows, ParquetChunk, Wrote, Done, Failed>;

[[nodiscard]] Buffer encode(const ToWorker& message);
[[nodiscard]] Buffer encode(const ToServer& message);

// malformed: cut short, something behind the end, an unknown number or enumerator. Never allocates more than a few times the input.
[[nodiscard]] Result<ToWorker> decode_to_worker(Bytes bytes);
[[nodiscard]] Result<ToServer> decode_to_server(Bytes bytes);

}  // namespace tripos::protocol
