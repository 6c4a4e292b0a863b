#include "app/cli/offset_reset.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>

namespace tripos::app {
namespace {

// Digits of `text` from `at` on, exactly `count`; moves `at` behind them.
std::optional<int> take_digits(std::string_view text, std::size_t& at, std::size_t count) {
  if (at + count > text.size()) return std::nullopt;
  int value = 0;
  const auto [end, error] = std::from_chars(text.data() + at, text.data() + at + count, value);
  if (error != std::errc() || end != text.data() + at + count || text[at] == '-') return std::nullopt;
  at += count;
  return value;
}

bool take(std::string_view text, std::size_t& at, char wanted) {
  if (at >= text.size() || text[at] != wanted) return false;
  ++at;
  return true;
}

// Of ".123456": what is finer than milliseconds is dropped.
std::optional<int> take_milliseconds(std::string_view text, std::size_t& at) {
  int value = 0;
  int scale = 100;
  const std::size_t begin = at;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10) value += (text[at] - '0') * scale;
  return at == begin ? std::nullopt : std::optional(value);
}

// "Z", "+02:00", "+0200", "-05"; minutes east of UTC.
std::optional<int> take_zone(std::string_view text, std::size_t& at) {
  if (at == text.size() || take(text, at, 'Z')) return 0;
  const int sign = take(text, at, '+') ? 1 : take(text, at, '-') ? -1 : 0;
  const auto hours = take_digits(text, at, 2);
  if (sign == 0 || !hours || *hours > 18) return std::nullopt;
  if (at == text.size()) return sign * *hours * 60;
  (void)take(text, at, ':');
  const auto minutes = take_digits(text, at, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  return sign * (*hours * 60 + *minutes);
}

std::optional<std::int64_t> date_time(std::string_view text) {
  std::size_t at = 0;
  const auto year = take_digits(text, at, 4);
  if (!year || !take(text, at, '-')) return std::nullopt;
  const auto month = take_digits(text, at, 2);
  if (!month || !take(text, at, '-')) return std::nullopt;
  const auto day = take_digits(text, at, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  std::int64_t milliseconds = std::chrono::sys_days(date).time_since_epoch() / std::chrono::milliseconds(1);
  if (at < text.size() && (text[at] == 'T' || text[at] == ' ')) {
    ++at;
    const auto hour = take_digits(text, at, 2);
    if (!hour || *hour > 23 || !take(text, at, ':')) return std::nullopt;
    const auto minute = take_digits(text, at, 2);
    if (!minute || *minute > 59) return std::nullopt;
    int second = 0;
    if (take(text, at, ':')) {
      const auto given = take_digits(text, at, 2);
      if (!given || *given > 59) return std::nullopt;
      second = *given;
    }
    int fraction = 0;
    if (take(text, at, '.')) {
      const auto given = take_milliseconds(text, at);
      if (!given) return std::nullopt;
      fraction = *given;
    }
    milliseconds += ((std::int64_t{*hour} * 60 + *minute) * 60 + second) * 1000 + fraction;
  }
  const auto zone = take_zone(text, at);
  if (!zone || at != text.size()) return std::nullopt;
  return milliseconds - std::int64_t{*zone} * 60'000;
}

}  // namespace

Result<std::int64_t> parse_date_time(std::string_view text) {
  const auto parsed = date_time(text);
  if (!parsed) return fail(ErrorCode::invalid_argument, "'{}' is no time: write it as 2024-05-01T12:00:00.000 (UTC), or with a zone", text);
  return *parsed;
}

Result<ResetTopic> parse_reset_topic(std::string_view text) {
  const std::size_t colon = text.find(':');
  ResetTopic topic{.topic = std::string(text.substr(0, colon)), .partitions = {}};
  if (topic.topic.empty()) return fail(ErrorCode::invalid_argument, "--topic takes TOPIC or TOPIC:PARTITION,…, not '{}'", text);
  if (colon == std::string_view::npos) return topic;
  std::string_view list = text.substr(colon + 1);
  while (true) {
    const std::string_view digits = list.substr(0, list.find(','));
    std::int32_t partition = -1;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), partition);
    if (error != std::errc() || end != digits.data() + digits.size() || partition < 0) {
      return fail(ErrorCode::invalid_argument, "--topic takes TOPIC or TOPIC:PARTITION,…, not '{}'", text);
    }
    topic.partitions.push_back(partition);
    if (digits.size() == list.size()) return topic;
    list.remove_prefix(digits.size() + 1);
  }
}

Result<std::int64_t> reset_offset(const OffsetReset& reset, std::int64_t current, std::int64_t start, std::int64_t end,
                                  std::int64_t at_time) {
  switch (reset.to) {
    case OffsetReset::To::earliest: return start;
    case OffsetReset::To::latest: return end;
    case OffsetReset::To::time: return std::clamp(at_time, start, end);
    case OffsetReset::To::offset: return std::clamp(reset.value, start, end);
    case OffsetReset::To::current: return current < 0 ? end : std::clamp(current, start, end);
    case OffsetReset::To::shift: {
      if (current < 0) return fail(ErrorCode::invalid_argument, "nothing is committed that could be shifted: name an offset or a time");
      // Without overflow, whatever was asked for.
      if (reset.value >= 0) return current >= end || reset.value >= end - current ? end : std::max(start, current + reset.value);
      return current <= start || reset.value <= start - current ? start : std::min(end, current + reset.value);
    }
  }
  return start;
}

}  // namespace tripos::app
