// tripos txn list|abort
#include <cstdio>

#include "app/cli/command.h"
#include "app/cli/held_offsets.h"
#include "app/cli/listing.h"
#include "client/transactions.h"

namespace tripos::app {
namespace {

using client::KafkaConnection;
using client::TransactionDescription;

std::string partitions_text(const TransactionDescription& transaction) {
  std::string text;
  for (const auto& place : transaction.partitions) text += fmt::format("{}{}:{}", text.empty() ? "" : ",", place.topic, place.partition);
  return text;
}

void add_row(Listing& listing, const TransactionDescription& transaction) {
  const std::int64_t open = open_ms(transaction);
  listing.add({transaction.id, transaction.state, transaction.producer_id, std::int64_t{transaction.producer_epoch},
               open < 0 ? ListingCell() : ListingCell(open / 1000), std::int64_t{transaction.timeout_ms} / 1000,
               partitions_text(transaction)});
}

Listing listing_of_transactions() {
  return Listing({"transactional_id", "state", "producer_id", "producer_epoch", "open_seconds", "timeout_seconds", "partitions"});
}

struct TxnList {
  static constexpr CommandInfo info = {"list", "Transactional ids, their states, and how long they have been open",
                                       "  tripos txn list\n"
                                       "  tripos txn list --open"};
  bool open = false;
  std::string form_name = "table";

  void flags(Flags& flags) {
    flags.flag("--open", open, "Only those with a transaction that has not ended");
    flags.option("-o,--output", form_name, listing_form_names, "FORM");
  }
  Result<> run(Session& session) {
    TRIPOS_ASSIGN(const ListingForm form, listing_form(form_name));
    TRIPOS_ASSIGN(KafkaConnection connection, session.connect_kafka());
    TRIPOS_ASSIGN(const auto transactions, client::list_transactions(connection));
    Listing listing = listing_of_transactions();
    for (const TransactionDescription& transaction : transactions) {
      if (!open || transaction.is_open()) add_row(listing, transaction);
    }
    fmt::print("{}", listing.text(form));
    return {};
  }
};

struct TxnAbort {
  static constexpr CommandInfo info = {"abort", "End an open transaction without its records, and fence its producer",
                                       "  tripos txn abort nightly-import --confirm nightly-import"};
  std::string id;
  std::string confirm;
  bool dry_run = false;

  void flags(Flags& flags) {
    flags.option("id", id, "The transactional id", "TRANSACTIONAL-ID").required();
    flags.option("--confirm", confirm, "The id once more", "TRANSACTIONAL-ID");
    flags.flag("--dry-run", dry_run, "Only say what would be aborted");
  }
  Result<> run(Session& session) {
    TRIPOS_ASSIGN(KafkaConnection connection, session.connect_kafka());
    TRIPOS_ASSIGN(const TransactionDescription transaction, client::describe_transaction(connection, id));
    if (transaction.state != "Ongoing") {
      return fail(ErrorCode::not_found, "transactional id {} is {}: nothing of it is open that could be aborted", id, transaction.state);
    }
    const std::string what = fmt::format("the transaction of {} (producer {}, epoch {}) in {}", id, transaction.producer_id,
                                         transaction.producer_epoch, partitions_text(transaction));
    if (dry_run) {
      fmt::print(stderr, "Would abort {}.\n", what);
      return {};
    }
    if (confirm != id) return fail(ErrorCode::invalid_argument, "this aborts {}: say --confirm {}", what, id);
    TRIPOS_TRY(client::abort_transaction(connection, transaction));
    fmt::print(stderr, "Aborted {}. Its producer is fenced: a new one of the same id goes on.\n", what);
    return {};
  }
};

struct Txn {
  static constexpr CommandInfo info = {"txn", "Transactions: what is open, and ending what hangs",
                                       "  tripos txn list --open\n"
                                       "  tripos txn abort nightly-import --confirm nightly-import"};
  void flags(Flags& flags) { flags.require_command(); }
  Result<> run(Session&) { return {}; }
};

}  // namespace

void add_txn(const Commands& root) {
  const Commands txn = root.add<Txn>();
  txn.add<TxnList>();
  txn.add<TxnAbort>();
}

}  // namespace tripos::app
