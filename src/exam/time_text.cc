#include "exam/time_text.h"

#include <array>
#include <chrono>
#include <optional>

namespace tripos::exam {
namespace {

constexpr std::int64_t ms_per_minute = 60'000;
constexpr std::int64_t ms_per_day = 24 * 60 * ms_per_minute;

void put_digits(char* to, std::size_t count, std::int64_t value) {
  for (; count > 0; --count, value /= 10) to[count - 1] = static_cast<char>('0' + value % 10);
}

// Takes what it expects from the front of a text.
class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : text_(text) {}

  [[nodiscard]] bool at_end() const { return text_.empty(); }

  [[nodiscard]] bool skip(char expected) {
    if (!text_.starts_with(expected)) return false;
    text_.remove_prefix(1);
    return true;
  }

  // Exactly `count` digits, of a number below `bound`.
  [[nodiscard]] std::optional<std::int64_t> digits(std::size_t count, std::int64_t bound) {
    if (text_.size() < count) return std::nullopt;
    std::int64_t value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (text_[i] < '0' || text_[i] > '9') return std::nullopt;
      value = value * 10 + (text_[i] - '0');
    }
    if (value >= bound) return std::nullopt;
    text_.remove_prefix(count);
    return value;
  }

  // Digits behind a decimal point, as milliseconds.
  [[nodiscard]] std::optional<std::int64_t> milliseconds() {
    std::int64_t value = 0;
    std::int64_t unit = 100;
    bool any = false;
    for (; !text_.empty() && text_.front() >= '0' && text_.front() <= '9'; unit /= 10, any = true, text_.remove_prefix(1)) {
      value += unit * (text_.front() - '0');
    }
    return any ? std::optional(value) : std::nullopt;
  }

 private:
  std::string_view text_;
};

std::optional<std::int64_t> read_day(TimeReader& reader) {
  const auto year = reader.digits(4, 10'000);
  if (!year || !reader.skip('-')) return std::nullopt;
  const auto month = reader.digits(2, 13);
  if (!month || !reader.skip('-')) return std::nullopt;
  const auto day = reader.digits(2, 32);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count() * ms_per_day;
}

// "08:30", of the day or of a zone.
std::optional<std::int64_t> read_minutes(TimeReader& reader) {
  const auto hour = reader.digits(2, 24);
  if (!hour || !reader.skip(':')) return std::nullopt;
  const auto minute = reader.digits(2, 60);
  if (!minute) return std::nullopt;
  return (*hour * 60 + *minute) * ms_per_minute;
}

std::optional<std::int64_t> read_time(TimeReader& reader) {
  const auto day = read_day(reader);
  if (!day || reader.at_end()) return day;
  if (!reader.skip('T') && !reader.skip(' ')) return std::nullopt;
  const auto minutes = read_minutes(reader);
  if (!minutes) return std::nullopt;
  std::int64_t time = *day + *minutes;
  if (reader.skip(':')) {
    const auto second = reader.digits(2, 60);
    if (!second) return std::nullopt;
    time += *second * 1000;
    if (reader.skip('.')) {
      const auto fraction = reader.milliseconds();
      if (!fraction) return std::nullopt;
      time += *fraction;
    }
  }
  if (reader.at_end() || reader.skip('Z')) return time;
  const bool east = reader.skip('+');
  if (!east && !reader.skip('-')) return std::nullopt;
  const auto offset = read_minutes(reader);
  if (!offset) return std::nullopt;
  return east ? time - *offset : time + *offset;
}

}  // namespace

void append_iso(Buffer& to, std::int64_t time_ms) {
  const std::int64_t day = time_ms >= 0 ? time_ms / ms_per_day : -((ms_per_day - 1 - time_ms) / ms_per_day);
  const std::int64_t ms_of_day = time_ms - day * ms_per_day;
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
  std::array<char, 24> text = {'0', '0', '0', '0', '-', '0', '0', '-', '0', '0', 'T', '0',
                               '0', ':', '0', '0', ':', '0', '0', '.', '0', '0', '0', 'Z'};
  put_digits(text.data(), 4, static_cast<int>(date.year()));
  put_digits(text.data() + 5, 2, static_cast<unsigned>(date.month()));
  put_digits(text.data() + 8, 2, static_cast<unsigned>(date.day()));
  put_digits(text.data() + 11, 2, ms_of_day / (60 * ms_per_minute));
  put_digits(text.data() + 14, 2, ms_of_day / ms_per_minute % 60);
  put_digits(text.data() + 17, 2, ms_of_day / 1000 % 60);
  put_digits(text.data() + 20, 3, ms_of_day % 1000);
  to.append(text.data(), text.size());
}

Result<std::int64_t> parse_time(std::string_view text) {
  TimeReader reader(text);
  const auto time = read_time(reader);
  if (time && reader.at_end()) return *time;
  return fail(ErrorCode::invalid_argument, "'{}' is no time: give 2018-01-31 or 2018-01-31T08:30:00Z", text);
}

}  // namespace tripos::exam
