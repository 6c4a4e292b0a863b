#include "broker/metadata_log.h"

#include "log/paths.h"
#include "model/record_batch.h"

namespace tripos::broker {

namespace {
constexpr std::size_t metadata_batch_size_max = 64u << 20;
}  // namespace

Result<std::unique_ptr<MetadataLog>> MetadataLog::open(const Environment& environment, log::GroupCommit& commit, const std::string& data,
                                                       const Visit& visit) {
  auto opened = log::PartitionLog::open(environment.files, commit, log::metadata_directory(data), log::LogOptions{});
  if (!opened) return tl::unexpected(std::move(opened).error().within("the metadata log"));
  std::unique_ptr<MetadataLog> self(new MetadataLog(environment, std::move(opened->log)));
  RecordReader reader(metadata_batch_size_max);
  const auto read_batch = [&](const RecordBatchView& batch) -> Result<> {
    TRIPOS_TRY(reader.start(batch));
    while (true) {
      TRIPOS_ASSIGN(const Record* record, reader.next());
      if (record == nullptr) return {};
      TRIPOS_ASSIGN(MetadataRecord metadata, decode_metadata(record->key.value_or(Bytes()), record->value));
      TRIPOS_TRY(visit(std::move(metadata)));
    }
  };
  if (auto read = self->log_->for_each_batch(self->log_->start_offset(), self->log_->durable_end(), read_batch); !read) {
    return tl::unexpected(std::move(read).error().within("the metadata log"));
  }
  return self;
}

void MetadataLog::append(const MetadataRecord& record, std::function<void(Result<>)> done) {
  const EncodedMetadata encoded = encode_metadata(record);
  RecordBatchBuilder builder;
  builder.add(environment_.clock.wall(), Bytes(encoded.key), encoded.value ? std::optional<Bytes>(*encoded.value) : std::nullopt);
  const Buffer batch = builder.finish({});
  if (!log_->accepts(batch.size())) {
    log_->when_accepting([this, record, done = std::move(done)]() mutable { append(record, std::move(done)); });
    return;
  }
  const auto appended = log_->append(batch, {});
  if (!appended) return done(tl::unexpected(appended.error()));
  log_->when_durable(appended->end, [done = std::move(done)](DurableEnd) { done({}); });
}

}  // namespace tripos::broker
