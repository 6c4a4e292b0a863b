// tripos status
#include <cstdio>

#include "app/cli/command.h"
#include "app/cli/held_offsets.h"
#include "app/cli/listing.h"
#include "client/groups.h"
#include "client/topics.h"
#include "client/transactions.h"

namespace tripos::app {
namespace {

struct Status {
  static constexpr CommandInfo info = {"status", "What the server holds, and what holds back a last stable offset",
                                       "  tripos status\n"
                                       "  tripos status -o json       the partitions that wait for a transaction"};
  std::string form_name = "table";

  void flags(Flags& flags) { flags.option("-o,--output", form_name, listing_form_names, "FORM"); }

  static Result<> print_summary(client::KafkaConnection& connection) {
    TRIPOS_ASSIGN(const auto topics, client::list_topics(connection));
    TRIPOS_ASSIGN(const auto groups, client::list_groups(connection));
    TRIPOS_ASSIGN(const auto transactions, client::list_transactions(connection));
    std::size_t partitions = 0;
    std::size_t own = 0;
    for (const client::TopicMetadata& topic : topics) {
      if (topic.internal) continue;
      ++own;
      partitions += topic.partitions.size();
    }
    std::size_t active = 0;
    for (const client::GroupListing& group : groups) active += group.state == "Empty" || group.state == "Dead" ? 0 : 1;
    std::size_t open = 0;
    for (const client::TransactionDescription& transaction : transactions) open += transaction.is_open() ? 1 : 0;
    fmt::print("server        {}\ntopics        {} with {} partitions\ngroups        {}, {} with members\ntransactions  {} ids, {} open\n",
               connection.peer(), own, partitions, groups.size(), active, transactions.size(), open);
    return {};
  }

  Result<> run(Session& session) {
    TRIPOS_ASSIGN(const ListingForm form, listing_form(form_name));
    TRIPOS_ASSIGN(client::KafkaConnection connection, session.connect_kafka());
    TRIPOS_ASSIGN(const auto held, held_offsets(connection));
    if (form == ListingForm::table) TRIPOS_TRY(print_summary(connection));
    Listing listing({"topic", "partition", "stable_offset", "log_end_offset", "transactional_id", "state", "producer_id", "open_seconds",
                     "timeout_seconds"});
    for (const HeldOffset& each : held) {
      listing.add({each.place.topic, std::int64_t{each.place.partition}, each.stable_offset, each.end_offset, each.transactional_id,
                   each.state, each.producer_id, each.open_ms < 0 ? ListingCell() : ListingCell(each.open_ms / 1000),
                   each.timeout_ms / 1000});
    }
    if (form != ListingForm::table) {
      fmt::print("{}", listing.text(form));
    } else if (held.empty()) {
      fmt::print("held back     nothing: answers reflect every record\n");
    } else {
      fmt::print("held back     {} partitions wait for a transaction: what lies behind their stable offset is in no answer yet\n\n{}",
                 held.size(), listing.text(form));
      fmt::print(stderr, "A transaction that nobody will end: tripos txn abort TRANSACTIONAL-ID\n");
    }
    return {};
  }
};

}  // namespace

void add_status(const Commands& root) { root.add<Status>(); }

}  // namespace tripos::app
