#include "app/render/cell.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <optional>

#include "base/real_text.h"

namespace tripos::app {
namespace {

using Kind = ColumnType::Kind;

tl::unexpected<Error> not_json(std::string_view json) {
  return fail(ErrorCode::malformed, "the server sent what is not a result's JSON: {}", json.substr(0, 60));
}

// Walks over a JSON text that a server made. It may still be cut short or broken: nothing here reads past its end.
class Walker {
 public:
  explicit Walker(std::string_view json) : json_(json) {}

  void skip_spaces() {
    while (position_ < json_.size() && std::string_view(" \n\r\t").find(json_[position_]) != std::string_view::npos) ++position_;
  }
  bool take(char c) {
    skip_spaces();
    if (position_ == json_.size() || json_[position_] != c) return false;
    ++position_;
    return true;
  }
  // The next value's text; empty if there is none.
  std::string_view value() {
    skip_spaces();
    const std::size_t begin = position_;
    std::size_t depth = 0;
    while (position_ < json_.size()) {
      const char c = json_[position_];
      if (c == '"') {
        if (!skip_string()) return {};
        if (depth == 0) break;
        continue;
      }
      if (depth == 0 && (c == ',' || c == '}' || c == ']' || c == ':')) break;
      ++position_;
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') {
        if (--depth == 0) break;
      }
    }
    return depth == 0 ? json_.substr(begin, position_ - begin) : std::string_view();
  }
  [[nodiscard]] bool at_end() {
    skip_spaces();
    return position_ == json_.size();
  }

 private:
  bool skip_string() {
    for (++position_; position_ < json_.size(); ++position_) {
      if (json_[position_] == '\\') {
        ++position_;
      } else if (json_[position_] == '"') {
        ++position_;
        return true;
      }
    }
    position_ = json_.size();
    return false;
  }

  std::string_view json_;
  std::size_t position_ = 0;
};

void append_utf8(std::uint32_t c, std::string& to) {
  const auto push = [&](std::uint32_t byte) { to.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    push(c);
  } else if (c < 0x800) {
    push(0xc0 | c >> 6);
    push(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    push(0xe0 | c >> 12);
    push(0x80 | (c >> 6 & 0x3f));
    push(0x80 | (c & 0x3f));
  } else {
    push(0xf0 | c >> 18);
    push(0x80 | (c >> 12 & 0x3f));
    push(0x80 | (c >> 6 & 0x3f));
    push(0x80 | (c & 0x3f));
  }
}

std::optional<std::uint32_t> hex4(std::string_view text, std::size_t at) {
  std::uint32_t value = 0;
  if (at + 4 > text.size()) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data() + at, text.data() + at + 4, value, 16);
  if (error != std::errc() || end != text.data() + at + 4) return std::nullopt;
  return value;
}

int base64_digit(char c) noexcept {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

// "[7B 22]" of a base64 text.
std::string hex_of_base64(std::string_view base64) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string hex = "[";
  std::uint32_t bits = 0;
  int bit_count = 0;
  for (const char c : base64) {
    const int digit = base64_digit(c);
    if (digit < 0) continue;  // padding
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    bit_count += 6;
    if (bit_count < 8) continue;
    bit_count -= 8;
    const std::uint32_t byte = bits >> bit_count & 0xff;
    if (hex.size() > 1) hex.push_back(' ');
    hex.push_back(digits[byte >> 4]);
    hex.push_back(digits[byte & 15]);
  }
  return hex + "]";
}

// "2018-01-28T12:10:51.123000Z" -> "2018-01-28 12:10:51.123"
std::string pretty_timestamp(std::string text) {
  std::ranges::replace(text, 'T', ' ');
  if (text.ends_with('Z')) text.pop_back();
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
  }
  return text;
}

Result<std::string> pretty_structure(std::string_view json, const ColumnType& type) {
  TRIPOS_ASSIGN(const std::vector<JsonMember> members, json_members(json));
  if (members.size() != type.fields.size()) return not_json(json);
  std::string text = "{";
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (i > 0) text.append(", ");
    TRIPOS_ASSIGN(const std::string field, pretty_cell(members[i].value, type.fields[i].type));
    text.append(field);
  }
  return text + "}";
}

Result<std::string> pretty_array(std::string_view json, const ColumnType& type) {
  TRIPOS_ASSIGN(const std::vector<std::string_view> elements, json_elements(json));
  std::string text = "[";
  for (std::size_t i = 0; i < elements.size(); ++i) {
    if (i > 0) text.append(", ");
    TRIPOS_ASSIGN(const std::string element, pretty_cell(elements[i], type.element[0]));
    text.append(element);
  }
  return text + "]";
}

Result<std::string> pretty_map(std::string_view json, const ColumnType& type) {
  TRIPOS_ASSIGN(const std::vector<JsonMember> members, json_members(json));
  std::string text = "{";
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (i > 0) text.append(", ");
    TRIPOS_ASSIGN(const std::string value, pretty_cell(members[i].value, type.element[1]));
    text.append(members[i].key).append(" -> ").append(value);
  }
  return text + "}";
}

}  // namespace

Result<std::string> json_string_value(std::string_view json) {
  if (json.size() < 2 || json.front() != '"' || json.back() != '"') return not_json(json);
  const std::string_view text = json.substr(1, json.size() - 2);
  std::string value;
  value.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      value.push_back(text[i]);
      continue;
    }
    if (++i == text.size()) return not_json(json);
    switch (text[i]) {
      case 'n': value.push_back('\n'); break;
      case 'r': value.push_back('\r'); break;
      case 't': value.push_back('\t'); break;
      case 'b': value.push_back('\b'); break;
      case 'f': value.push_back('\f'); break;
      case 'u': {
        auto unit = hex4(text, i + 1);
        if (!unit) return not_json(json);
        i += 4;
        if (*unit >= 0xd800 && *unit < 0xdc00 && text.substr(i + 1, 2) == "\\u") {
          const auto low = hex4(text, i + 3);
          if (low && *low >= 0xdc00 && *low < 0xe000) {
            unit = 0x10000 + ((*unit - 0xd800) << 10) + (*low - 0xdc00);
            i += 6;
          }
        }
        append_utf8(*unit, value);
        break;
      }
      default: value.push_back(text[i]);
    }
  }
  return value;
}

std::string json_string(std::string_view text) {
  std::string json = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') json.push_back('\\');
    if (static_cast<unsigned char>(c) < 0x20) {
      json.append(fmt::format("\\u{:04x}", static_cast<unsigned>(c)));
    } else {
      json.push_back(c);
    }
  }
  return json + "\"";
}

Result<std::vector<JsonMember>> json_members(std::string_view json) {
  std::vector<JsonMember> members;
  Walker walker(json);
  if (!walker.take('{')) return not_json(json);
  while (!walker.take('}')) {
    if (!members.empty() && !walker.take(',')) return not_json(json);
    TRIPOS_ASSIGN(std::string key, json_string_value(walker.value()));
    if (!walker.take(':')) return not_json(json);
    const std::string_view value = walker.value();
    if (value.empty()) return not_json(json);
    members.push_back({std::move(key), value});
  }
  return members;
}

Result<std::vector<std::string_view>> json_elements(std::string_view json) {
  std::vector<std::string_view> elements;
  Walker walker(json);
  if (!walker.take('[')) return not_json(json);
  while (!walker.take(']')) {
    if (!elements.empty() && !walker.take(',')) return not_json(json);
    const std::string_view value = walker.value();
    if (value.empty()) return not_json(json);
    elements.push_back(value);
  }
  return elements;
}

Result<std::string> pretty_cell(std::string_view json, const ColumnType& type) {
  if (json == "null") return std::string("NULL");
  if (json.empty()) return not_json(json);
  switch (type.kind) {
    case Kind::structure: return pretty_structure(json, type);
    case Kind::array: return pretty_array(json, type);
    case Kind::map: return pretty_map(json, type);
    default: break;
  }
  if (json.front() == '"') {
    TRIPOS_ASSIGN(std::string text, json_string_value(json));
    if (type.kind == Kind::binary) return hex_of_base64(text);
    if (type.kind == Kind::timestamp) return pretty_timestamp(std::move(text));
    return text;
  }
  if (type.kind == Kind::real) {
    const std::string digits(json);
    if (type.name != "double") return real_text(std::strtof(digits.c_str(), nullptr));
    return real_text(std::strtod(digits.c_str(), nullptr));
  }
  return std::string(json);
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of("\",\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + "\"";
}

Result<std::string> csv_cell(std::string_view json) {
  if (json == "null") return std::string();
  if (json.empty() || json.front() != '"') return csv_field(json);
  TRIPOS_ASSIGN(const std::string text, json_string_value(json));
  if (text.empty()) return std::string("\"\"");  // an empty text is not NULL
  return csv_field(text);
}

}  // namespace tripos::app
