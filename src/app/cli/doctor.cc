// tripos doctor
#include <cstdio>

#include "app/cli/command.h"
#include "app/cli/held_offsets.h"
#include "app/cli/listing.h"
#include "app/cli/query.h"
#include "app/doctor/check.h"
#include "client/http_client.h"
#include "io/real/posix_file_system.h"
#include "log/data_directory.h"

namespace tripos::app {
namespace {

constexpr std::int64_t held_ms_warn = 60'000;

std::string_view to_string(Health health) {
  switch (health) {
    case Health::ok: return "ok";
    case Health::warn: return "warn";
    case Health::fail: return "fail";
  }
  return "";
}

std::string_view mark_of(Health health) {
  switch (health) {
    case Health::ok: return "✓";
    case Health::warn: return "!";
    case Health::fail: return "✗";
  }
  return "";
}

Diagnosis check_held_offsets(client::KafkaConnection& connection) {
  const auto held = held_offsets(connection);
  if (!held) return {.name = "transactions", .health = Health::warn, .detail = held.error().message, .remedy = "tripos status says more"};
  for (const HeldOffset& each : *held) {
    if (each.open_ms < held_ms_warn) continue;
    return {.name = "transactions",
            .health = Health::warn,
            .detail = fmt::format("{} is {} for {} s and holds back {} of {} partitions' answers", each.transactional_id, each.state,
                                  each.open_ms / 1000, each.place.topic, held->size()),
            .remedy = fmt::format("tripos status shows all; if its producer is gone: tripos txn abort {}", each.transactional_id)};
  }
  return {.name = "transactions", .detail = fmt::format("{} partitions wait for one, none for long", held->size())};
}

// What a running server says; where none runs, that it is so.
std::vector<Diagnosis> check_server(io::FileSystem& files, Session& session, const Settings& settings) {
  const auto server = log::find_server(files, settings.data);
  if (!server && server.error().code == ErrorCode::not_found && !settings.kafka) {
    return {{.name = "server", .detail = "none runs on this directory: tripos serve"}};
  }
  if (!server && server.error().code == ErrorCode::unavailable) {
    return {{.name = "server",
             .health = Health::warn,
             .detail = server.error().message,
             .remedy = "it is starting, or another command works on the directory: ask again"}};
  }
  std::vector<Diagnosis> diagnoses;
  auto target = session.target();
  auto connection = target ? (*target)->connect_kafka() : Result<client::KafkaConnection>(tl::unexpected(target.error()));
  if (!connection) {
    diagnoses.push_back({.name = "server",
                         .health = Health::fail,
                         .detail = connection.error().message,
                         .remedy = "see that it runs, and that nothing between here and there is closed"});
    return diagnoses;
  }
  diagnoses.push_back({.name = "server", .detail = fmt::format("answers at {}", connection->peer())});
  diagnoses.push_back(check_held_offsets(*connection));
  auto http = (*target)->connect_http();
  const auto healthy = http ? fetch_text(*http, {.target = "/healthz"}) : Result<std::string>(tl::unexpected(http.error()));
  if (healthy) {
    diagnoses.push_back({.name = "HTTP", .detail = fmt::format("answers at {}", http->address().text())});
  } else {
    diagnoses.push_back({.name = "HTTP",
                         .health = Health::fail,
                         .detail = healthy.error().message,
                         .remedy = "questions in SQL go over it: see --http of the server"});
  }
  return diagnoses;
}

struct Doctor {
  static constexpr CommandInfo info = {"doctor",
                                       "Look at what a server needs: directory, disk, limits, clock, settings, recovery, transactions",
                                       "  tripos doctor\n"
                                       "  tripos doctor --json\n"
                                       "  tripos doctor --data /var/lib/tripos || alert"};
  bool json = false;

  void flags(Flags& flags) { flags.flag("--json", json, "An array of objects"); }

  Result<> run(Session& session) {
    TRIPOS_ASSIGN(const Settings settings, session.settings());
    io::PosixFileSystem files;
    std::vector<Diagnosis> diagnoses = {{.name = "version", .detail = TRIPOS_VERSION}};
    const auto add = [&diagnoses](std::vector<Diagnosis> more) { diagnoses.insert(diagnoses.end(), more.begin(), more.end()); };
    add({check_directory(settings.data)});
    add(check_disk(files, settings.data));
    add({check_open_files(files, settings.data), check_clock(settings.data)});
    add(judge_settings(settings));
    add({check_recovery(files, settings.data)});
    add(check_server(files, session, settings));
    Listing listing({"check", "health", "detail", "remedy"});
    std::string text;
    for (const Diagnosis& each : diagnoses) {
      session.unhealthy = session.unhealthy || each.health == Health::fail;
      listing.add({each.name, std::string(to_string(each.health)), each.detail, each.remedy});
      text += fmt::format("{} {:<13} {}\n", mark_of(each.health), each.name, each.detail);
      if (!each.remedy.empty()) text += fmt::format("                → {}\n", each.remedy);
    }
    fmt::print("{}", json ? listing.text(ListingForm::json) : text);
    return {};
  }
};

}  // namespace

void add_doctor(const Commands& root) { root.add<Doctor>(); }

}  // namespace tripos::app
