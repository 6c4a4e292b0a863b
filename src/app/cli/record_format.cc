#include "app/cli/record_format.h"

#include <charconv>

namespace tripos::app {

Result<std::string> unescaped(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      result.push_back(text[i]);
      continue;
    }
    if (++i == text.size()) return fail(ErrorCode::invalid_argument, "'{}' ends in a lone backslash", text);
    switch (text[i]) {
      case 'n': result.push_back('\n'); break;
      case 't': result.push_back('\t'); break;
      case 'r': result.push_back('\r'); break;
      case '0': result.push_back('\0'); break;
      case '\\': result.push_back('\\'); break;
      case 'x': {
        unsigned value = 0;
        const std::string_view digits = text.substr(i + 1, 2);
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
        if (error != std::errc() || digits.size() != 2 || end != digits.data() + 2) {
          return fail(ErrorCode::invalid_argument, "'{}': two hexadecimal digits must follow \\x", text);
        }
        result.push_back(static_cast<char>(value));
        i += 2;
        break;
      }
      default: return fail(ErrorCode::invalid_argument, "'{}': there is no escape \\{}", text, text[i]);
    }
  }
  return result;
}

Result<RecordFormat> RecordFormat::parse(std::string_view format) {
  RecordFormat parsed;
  while (!format.empty()) {
    const std::size_t percent = format.find('%');
    if (percent != 0) {
      TRIPOS_ASSIGN(std::string text, unescaped(format.substr(0, percent)));
      parsed.pieces_.push_back({0, std::move(text)});
      format.remove_prefix(percent == std::string_view::npos ? format.size() : percent);
      continue;
    }
    if (format.size() < 2 || std::string_view("%tpoTkvshKVS").find(format[1]) == std::string_view::npos) {
      return fail(ErrorCode::invalid_argument, "a format's fields are %t %p %o %T %k %v %h %K %V %%, not '{}'", format.substr(0, 2));
    }
    if (format[1] == '%') {
      parsed.pieces_.push_back({0, "%"});
    } else {
      parsed.pieces_.push_back({format[1], {}});
    }
    format.remove_prefix(2);
  }
  return parsed;
}

Result<> RecordFormat::append(std::string_view topic, std::int32_t partition, const Record& record, Buffer& to) const {
  const auto length = [](const std::optional<Bytes>& bytes) { return bytes ? std::to_string(bytes->size()) : std::string("-1"); };
  for (const Piece& piece : pieces_) {
    switch (piece.field) {
      case 0: to.append(piece.text); break;
      case 't': to.append(topic); break;
      case 'p': to.append(std::to_string(partition)); break;
      case 'o': to.append(std::to_string(record.offset.value())); break;
      case 'T': to.append(std::to_string(record.timestamp_ms)); break;
      case 'k': to.append(record.key.value_or(Bytes())); break;
      case 'v':
      case 's': to.append(record.value.value_or(Bytes())); break;
      case 'K': to.append(length(record.key)); break;
      case 'V':
      case 'S': to.append(length(record.value)); break;
      case 'h': {
        TRIPOS_ASSIGN(const std::vector<RecordHeader> headers, record.parse_headers());
        for (std::size_t i = 0; i < headers.size(); ++i) {
          to.append(i == 0 ? "" : ",").append(headers[i].key).append("=").append(headers[i].value.value_or(Bytes("NULL")));
        }
        break;
      }
      default: break;
    }
  }
  return {};
}

}  // namespace tripos::app
