// Dates and times: Spark's casts of strings, and its patterns ("yyyy-MM-dd HH:mm:ss"). All in UTC.
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "worker/functions/scalar.h"
#include "worker/functions/spark_functions.h"

namespace tripos::worker {
namespace {

constexpr std::int64_t micros_per_second = 1'000'000;
constexpr std::array<std::string_view, 12> months = {"January", "February", "March",     "April",   "May",      "June",
                                                     "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<std::string_view, 7> weekdays = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

struct Moment {
  int year = 1970;
  int month = 1;
  int day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int micros = 0;
  int zone_seconds = 0;
};

std::int64_t days_from_civil(int year, int month, int day) {
  year -= month <= 2;
  const int era = (year >= 0 ? year : year - 399) / 400;
  const int of_era = year - era * 400;
  const int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return static_cast<std::int64_t>(era) * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

int days_in_month(int year, int month) {
  constexpr std::array<int, 12> days = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : days[static_cast<std::size_t>(month - 1)];
}

std::optional<std::int64_t> micros_of(const Moment& moment) {
  if (moment.month < 1 || moment.month > 12 || moment.day < 1 || moment.day > days_in_month(moment.year, moment.month) ||
      moment.hour > 23 || moment.minute > 59 || moment.second > 59 || moment.year > 9999 || moment.year < 0) {
    return std::nullopt;
  }
  const std::int64_t seconds = days_from_civil(moment.year, moment.month, moment.day) * 86400 + moment.hour * 3600 + moment.minute * 60 +
                               moment.second - moment.zone_seconds;
  return seconds * micros_per_second + moment.micros;
}

class Scanner {
 public:
  explicit Scanner(Bytes text) : text_(text) {}
  [[nodiscard]] bool done() const noexcept { return text_.empty(); }
  [[nodiscard]] char peek() const noexcept { return text_.empty() ? '\0' : text_.front(); }
  bool skip(char c) {
    if (peek() != c) {
      return false;
    }
    text_.remove_prefix(1);
    return true;
  }
  // A number of `least` to `most` digits.
  bool number(int least, int most, int& value, int* digits = nullptr) {
    int count = 0;
    value = 0;
    while (count < most && peek() >= '0' && peek() <= '9') {
      value = value * 10 + (peek() - '0');
      text_.remove_prefix(1);
      ++count;
    }
    if (digits != nullptr) {
      *digits = count;
    }
    return count >= least;
  }
  bool fraction(int& micros) {
    int digits = 0;
    if (!number(1, 6, micros, &digits)) {
      return false;
    }
    for (; digits < 6; ++digits) {
      micros *= 10;
    }
    while (peek() >= '0' && peek() <= '9') {
      text_.remove_prefix(1);
    }
    return true;
  }
  // Z, UTC, GMT, +02:00, +0200, +02
  bool zone(int& seconds) {
    if (skip('Z')) {
      return true;
    }
    if (text_.starts_with("UTC") || text_.starts_with("GMT")) {
      text_.remove_prefix(3);
      if (done()) {
        return true;
      }
    }
    const int sign = peek() == '-' ? -1 : 1;
    int hours = 0;
    int minutes = 0;
    if ((!skip('+') && !skip('-')) || !number(1, 2, hours) || hours > 18) {
      return false;
    }
    if (skip(':') ? !number(2, 2, minutes) : (peek() >= '0' && peek() <= '9' && !number(2, 2, minutes))) {
      return false;
    }
    seconds = sign * (hours * 3600 + minutes * 60);
    return minutes < 60;
  }
  template <std::size_t count>
  bool word(const std::array<std::string_view, count>& words, bool full, int& index) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::string_view wanted = full ? words[i] : words[i].substr(0, 3);
      if (equal_ignoring_case(text_.substr(0, wanted.size()), wanted)) {
        text_.remove_prefix(wanted.size());
        index = static_cast<int>(i);
        return true;
      }
    }
    return false;
  }

 private:
  Bytes text_;
};

// As Spark casts: yyyy[-M[-d]][T| ][H:m[:s[.f]]][zone], blanks around it free.
std::optional<std::int64_t> parse_timestamp(Bytes text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') {
    text.remove_prefix(1);
  }
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') {
    text.remove_suffix(1);
  }
  Scanner scanner(text);
  Moment moment;
  if (!scanner.number(4, 6, moment.year)) {
    return std::nullopt;
  }
  if (scanner.skip('-') && (!scanner.number(1, 2, moment.month) || (scanner.skip('-') && !scanner.number(1, 2, moment.day)))) {
    return std::nullopt;
  }
  if (scanner.done()) {
    return micros_of(moment);
  }
  if (!scanner.skip('T') && !scanner.skip(' ')) {
    return std::nullopt;
  }
  if (scanner.done()) {
    return micros_of(moment);
  }
  if (!scanner.number(1, 2, moment.hour) || !scanner.skip(':') || !scanner.number(1, 2, moment.minute) ||
      (scanner.skip(':') && !scanner.number(1, 2, moment.second)) || (scanner.skip('.') && !scanner.fraction(moment.micros))) {
    return std::nullopt;
  }
  scanner.skip(' ');
  if (!scanner.done() && (!scanner.zone(moment.zone_seconds) || !scanner.done())) {
    return std::nullopt;
  }
  return micros_of(moment);
}

bool to_timestamp(Rows& rows, idx_t row) {
  const auto micros = parse_timestamp(rows.text(0, row));
  if (micros) {
    rows.set(row, *micros);
  }
  return micros.has_value();
}

// One run of a pattern's letter, or a literal piece.
struct PatternPiece {
  char letter = 0;  // 0: literal
  int count = 0;
  std::string text = {};
};

std::vector<PatternPiece> pieces_of(Bytes pattern) {
  std::vector<PatternPiece> pieces;
  for (std::size_t i = 0; i < pattern.size();) {
    const char c = pattern[i];
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
      std::size_t end = i;
      while (end < pattern.size() && pattern[end] == c) {
        ++end;
      }
      pieces.push_back({c, static_cast<int>(end - i)});
      i = end;
    } else if (c == '\'') {
      std::string text;
      for (++i; i < pattern.size(); ++i) {
        if (pattern[i] == '\'') {
          if (i + 1 < pattern.size() && pattern[i + 1] == '\'') {
            ++i;
          } else {
            break;
          }
        }
        text += pattern[i];
      }
      ++i;
      pieces.push_back({0, 0, text.empty() ? "'" : text});
    } else if (c == '[' || c == ']') {
      ++i;  // optional parts
    } else {
      pieces.push_back({0, 0, std::string(1, c)});
      ++i;
    }
  }
  return pieces;
}

bool date_format(Rows& rows, idx_t row) {
  duckdb_timestamp timestamp;
  timestamp.micros = rows.get<std::int64_t>(0, row);
  if (!duckdb_is_finite_timestamp(timestamp)) {
    return false;
  }
  const duckdb_timestamp_struct at = duckdb_from_timestamp(timestamp);
  const std::int64_t days = days_from_civil(at.date.year, at.date.month, at.date.day);
  const auto weekday = static_cast<std::size_t>(((days + 4) % 7 + 7) % 7);
  std::string out;
  const auto number = [&out](int value, int width) { out += fmt::format("{:0{}}", value, width); };
  for (const PatternPiece& piece : pieces_of(rows.text(1, row))) {
    switch (piece.letter) {
      case 0: out += piece.text; break;
      case 'y':
      case 'u': piece.count == 2 ? number(at.date.year % 100, 2) : number(at.date.year, piece.count); break;
      case 'M':
      case 'L':
        if (piece.count >= 3) {
          out += piece.count == 3 ? months[static_cast<std::size_t>(at.date.month - 1)].substr(0, 3)
                                  : months[static_cast<std::size_t>(at.date.month - 1)];
        } else {
          number(at.date.month, piece.count);
        }
        break;
      case 'd': number(at.date.day, piece.count); break;
      case 'D': number(static_cast<int>(days - days_from_civil(at.date.year, 1, 1)) + 1, piece.count); break;
      case 'E': out += piece.count == 4 ? weekdays[weekday] : weekdays[weekday].substr(0, 3); break;
      case 'q':
      case 'Q': number((at.date.month - 1) / 3 + 1, piece.count); break;
      case 'H': number(at.time.hour, piece.count); break;
      case 'k': number(at.time.hour == 0 ? 24 : at.time.hour, piece.count); break;
      case 'h': number(at.time.hour % 12 == 0 ? 12 : at.time.hour % 12, piece.count); break;
      case 'K': number(at.time.hour % 12, piece.count); break;
      case 'm': number(at.time.min, piece.count); break;
      case 's': number(at.time.sec, piece.count); break;
      case 'S': out += fmt::format("{:06}000", at.time.micros).substr(0, static_cast<std::size_t>(std::min(piece.count, 9))); break;
      case 'a': out += at.time.hour < 12 ? "AM" : "PM"; break;
      case 'X': out += 'Z'; break;
      case 'x':
      case 'Z': out += piece.count == 3 ? "+00:00" : piece.count == 1 && piece.letter == 'x' ? "+00" : "+0000"; break;
      case 'z':
      case 'V': out += "UTC"; break;
      default: return false;
    }
  }
  rows.set_text(row, out);
  return true;
}

bool parse_by_pattern(Rows& rows, idx_t row) {
  Scanner scanner(rows.text(0, row));
  Moment moment;
  int afternoon = -1;
  for (const PatternPiece& piece : pieces_of(rows.text(1, row))) {
    const int least = piece.count == 1 ? 1 : piece.count;
    const int most = piece.count == 1 ? 9 : piece.count;
    int index = 0;
    bool good = true;
    switch (piece.letter) {
      case 0:
        for (const char c : piece.text) {
          good = good && scanner.skip(c);
        }
        break;
      case 'y':
      case 'u':
        good = scanner.number(piece.count == 2 ? 2 : least, piece.count == 2 ? 2 : std::max(most, 4), moment.year);
        moment.year += piece.count == 2 ? 2000 : 0;
        break;
      case 'M':
      case 'L':
        if (piece.count >= 3) {
          good = scanner.word(months, piece.count > 3, index);
          moment.month = index + 1;
        } else {
          good = scanner.number(least, std::min(most, 2), moment.month);
        }
        break;
      case 'd': good = scanner.number(least, std::min(most, 2), moment.day); break;
      case 'E': good = scanner.word(weekdays, piece.count > 3, index); break;
      case 'H':
      case 'h':
      case 'k':
      case 'K': good = scanner.number(least, std::min(most, 2), moment.hour); break;
      case 'm': good = scanner.number(least, std::min(most, 2), moment.minute); break;
      case 's': good = scanner.number(least, std::min(most, 2), moment.second); break;
      case 'S': good = scanner.fraction(moment.micros); break;
      case 'a': {
        good = scanner.skip('A') || scanner.skip('a')   ? (afternoon = 0, true)
               : scanner.skip('P') || scanner.skip('p') ? (afternoon = 1, true)
                                                        : false;
        good = good && (scanner.skip('M') || scanner.skip('m'));
        break;
      }
      case 'X':
      case 'x':
      case 'Z':
      case 'z':
      case 'V': good = scanner.zone(moment.zone_seconds); break;
      default: return false;
    }
    if (!good) {
      return false;
    }
  }
  if (afternoon >= 0) {
    moment.hour = moment.hour % 12 + 12 * afternoon;
  }
  const auto micros = micros_of(moment);
  if (!scanner.done() || !micros) {
    return false;
  }
  rows.set(row, *micros);
  return true;
}

// As Spark: whole months if the days of the month are the same or both the last, otherwise a fraction of 31 days, to 8 places.
bool months_between(Rows& rows, idx_t row) {
  std::array<duckdb_timestamp_struct, 2> at{};
  for (std::size_t i = 0; i < 2; ++i) {
    duckdb_timestamp timestamp;
    timestamp.micros = rows.get<std::int64_t>(i, row);
    at[i] = duckdb_from_timestamp(timestamp);
  }
  const auto& [a, b] = at;
  const double whole = (a.date.year - b.date.year) * 12 + (a.date.month - b.date.month);
  const auto is_last = [](const duckdb_timestamp_struct& of) { return of.date.day == days_in_month(of.date.year, of.date.month); };
  if (a.date.day == b.date.day || (is_last(a) && is_last(b))) {
    rows.set(row, whole);
    return true;
  }
  const auto second_of_day = [](const duckdb_timestamp_struct& of) { return of.time.hour * 3600 + of.time.min * 60 + of.time.sec; };
  const double seconds = (a.date.day - b.date.day) * 86400.0 + (second_of_day(a) - second_of_day(b));
  rows.set(row, std::round((whole + seconds / (31 * 86400.0)) * 1e8) / 1e8);
  return true;
}

}  // namespace

Result<> register_time_functions(const Connection& connection) {
  TRIPOS_TRY(register_scalar(connection, "tripos_to_timestamp", {DUCKDB_TYPE_VARCHAR}, DUCKDB_TYPE_TIMESTAMP, by_row<to_timestamp>));
  TRIPOS_TRY(register_scalar(connection, "tripos_date_format", {DUCKDB_TYPE_TIMESTAMP, DUCKDB_TYPE_VARCHAR}, DUCKDB_TYPE_VARCHAR,
                             by_row<date_format>));
  TRIPOS_TRY(register_scalar(connection, "tripos_parse_timestamp", {DUCKDB_TYPE_VARCHAR, DUCKDB_TYPE_VARCHAR}, DUCKDB_TYPE_TIMESTAMP,
                             by_row<parse_by_pattern>));
  TRIPOS_TRY(register_scalar(connection, "tripos_months_between", {DUCKDB_TYPE_TIMESTAMP, DUCKDB_TYPE_TIMESTAMP}, DUCKDB_TYPE_DOUBLE,
                             by_row<months_between>));
  return {};
}

}  // namespace tripos::worker
