#include "load/identity.h"

#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <xxhash.h>

#include "json/scan_text.h"
#include "json/string.h"

namespace tripos::load {
namespace {

// An id that is a string, one that is something else, and a whole content never have one hash for being the same bytes.
constexpr std::uint64_t string_id_seed = 0x9e3779b97f4a7c15;
constexpr std::uint64_t other_id_seed = 0xc2b2ae3d27d4eb4f;

ContentHash hash_bytes(Bytes bytes, std::uint64_t seed) {
  const XXH128_hash_t hash = XXH3_128bits_withSeed(bytes.data(), bytes.size(), seed);
  return {.high = hash.high64, .low = hash.low64};
}

bool stands_alone(char c) { return c == '{' || c == '}' || c == '[' || c == ']' || c == ',' || c == ':' || c == '"'; }

// The string's contents with its escapes read, if they are good; `raw` is without quotes.
Bytes unescaped(Bytes raw, Buffer& to) {
  if (raw.find('\\') == Bytes::npos || json::find_bad_escape(raw) != raw.size()) return raw;
  to.resize(raw.size());
  return Bytes(to).substr(0, json::unescape(raw, to.data()));
}

// Behind the value at `at`: the comma or bracket of the object that holds it, or end.
const char* skip_value(const char* at, const char* end) {
  std::size_t depth = 0;
  while (at < end) {
    switch (*at) {
      case '"': at = json::skip_string(at + 1, end); continue;
      case '{':
      case '[': ++depth; break;
      case '}':
      case ']':
        if (depth == 0) return at;
        --depth;
        break;
      case ',':
        if (depth == 0) return at;
        break;
      default: break;
    }
    ++at;
  }
  return end;
}

}  // namespace

Bytes without_white_space(Bytes value, Buffer& to) {
  const char* at = value.data();
  const char* const end = at + value.size();
  const auto next_space = [&] {
    while (at < end && !json::is_white_space(*at)) at = *at == '"' ? json::skip_string(at + 1, end) : at + 1;
  };
  next_space();
  if (at == end) return value;
  to.clear();
  const char* run = value.data();
  while (true) {
    to.append(run, at);
    while (at < end && json::is_white_space(*at)) ++at;
    if (at == end) return to;
    if (!to.empty() && !stands_alone(to.back()) && !stands_alone(*at)) to += ' ';
    run = at;
    next_space();
  }
}

std::optional<Bytes> find_member(Bytes minified, std::string_view name, Buffer& scratch) {
  const char* at = minified.data();
  const char* const end = at + minified.size();
  std::optional<Bytes> found;
  if (at == end || *at != '{') return found;
  ++at;
  while (at < end && *at == '"') {
    const char* const key = at + 1;
    at = json::skip_string(key, end);
    if (at == end || *at != ':') return std::nullopt;
    const Bytes raw_key(key, static_cast<std::size_t>(at - 1 - key));
    const char* const value = ++at;
    at = skip_value(value, end);
    if (unescaped(raw_key, scratch) == name) found = Bytes(value, static_cast<std::size_t>(at - value));
    if (at == end || *at != ',') break;
    ++at;
  }
  return found;
}

ContentHash Identity::hash(Bytes value, std::uint64_t seed) {
  const Bytes minified = without_white_space(value, minified_);
  if (id_field_) {
    const auto id = find_member(minified, *id_field_, unescaped_);
    if (id && id->size() >= 2 && id->front() == '"' && id->back() == '"') {
      return hash_bytes(unescaped(id->substr(1, id->size() - 2), unescaped_), seed ^ string_id_seed);
    }
    if (id && !id->empty() && *id != "null") return hash_bytes(*id, seed ^ other_id_seed);
  }
  return hash_bytes(minified, seed);
}

std::string Identity::text() const {
  if (!id_field_) return "content";
  Buffer text = "id ";
  json::append_quoted(*id_field_, text);
  return text;
}

std::optional<Identity> Identity::parse(std::string_view text) {
  if (text == "content") return Identity();
  if (text.size() < 5 || !text.starts_with("id \"") || !text.ends_with('"')) return std::nullopt;
  Buffer name;
  const Identity parsed(std::string(unescaped(text.substr(4, text.size() - 5), name)));
  if (parsed.text() != text) return std::nullopt;
  return parsed;
}

std::string Identity::directory_name() const {
  if (!id_field_) return "content";
  return fmt::format("id-{:016x}", XXH3_64bits(id_field_->data(), id_field_->size()));
}

}  // namespace tripos::load
