#include "worker/dialect/catalogue.h"

#include <algorithm>
#include <unordered_map>

#include "base/check.h"

namespace tripos::worker {
namespace {

struct Catalogue {
  std::unordered_map<std::string_view, const FunctionRule*> functions;
  std::unordered_map<std::string_view, const AggregateRule*> aggregates;
};

const Catalogue& catalogue() {
  static const Catalogue built = [] {
    Catalogue all;
    for (const auto rules : {text_functions(), number_functions(), time_functions(), collection_functions(), lambda_functions()}) {
      for (const FunctionRule& rule : rules) {
        CHECK(all.functions.emplace(rule.name, &rule).second);
      }
    }
    for (const AggregateRule& rule : aggregate_functions()) {
      CHECK(all.aggregates.emplace(rule.name, &rule).second);
    }
    return all;
  }();
  return built;
}

// Functions of Spark that are known and left out: the error says so, rather than that there is none.
constexpr std::string_view spark_only[] = {"aes_decrypt",
                                           "aes_encrypt",
                                           "approx_top_k",
                                           "assert_true",
                                           "bitmap_count",
                                           "bitmap_bit_position",
                                           "conv",
                                           "count_min_sketch",
                                           "crc32",
                                           "current_path",
                                           "format_string",
                                           "format_xml",
                                           "from_csv",
                                           "from_json",
                                           "from_protobuf",
                                           "from_utc_timestamp",
                                           "from_xml",
                                           "hash",
                                           "histogram_numeric",
                                           "hll_sketch_agg",
                                           "hll_sketch_estimate",
                                           "input_file_block_length",
                                           "input_file_block_start",
                                           "input_file_name",
                                           "is_valid_utf8",
                                           "java_method",
                                           "luhn_check",
                                           "make_dt_interval",
                                           "make_interval",
                                           "make_ym_interval",
                                           "mask",
                                           "monotonically_increasing_id",
                                           "parse_json",
                                           "parse_url",
                                           "printf",
                                           "product",
                                           "raise_error",
                                           "randn",
                                           "randstr",
                                           "reflect",
                                           "schema_of_csv",
                                           "schema_of_json",
                                           "schema_of_xml",
                                           "sentences",
                                           "session_window",
                                           "shiftleft",
                                           "shiftrightunsigned",
                                           "shuffle",
                                           "soundex",
                                           "spark_partition_id",
                                           "stack",
                                           "to_char",
                                           "to_csv",
                                           "to_number",
                                           "to_utc_timestamp",
                                           "to_varchar",
                                           "to_xml",
                                           "try_aes_decrypt",
                                           "try_to_number",
                                           "try_variant_get",
                                           "uniform",
                                           "variant_get",
                                           "width_bucket",
                                           "window",
                                           "window_time",
                                           "xpath",
                                           "xxhash64"};

SqlType named_type(std::string_view name) {
  static constexpr std::pair<std::string_view, SqlKind> names[] = {
      {"string", SqlKind::string},     {"int", SqlKind::integer},     {"bigint", SqlKind::big_integer},   {"double", SqlKind::double_float},
      {"boolean", SqlKind::boolean},   {"date", SqlKind::date},       {"timestamp", SqlKind::timestamp},  {"binary", SqlKind::binary},
      {"interval", SqlKind::interval}, {"unknown", SqlKind::unknown}, {"tinyint", SqlKind::tiny_integer},
  };
  for (const auto& [text, kind] : names) {
    if (text == name) {
      return kind;
    }
  }
  if (name.starts_with("array<")) {
    return SqlType::array(named_type(name.substr(6, name.size() - 7)));
  }
  CHECK(false);
}

Expression coerced_to_kind(Expression argument, char kind) {
  const auto unless = [&](auto accepted, SqlKind wanted) {
    return !argument.type.is_known() || accepted(argument.type) ? argument : coerced(argument, wanted);
  };
  switch (kind) {
    case 's': return unless([](const SqlType& type) { return type.is(SqlKind::string) || type.is(SqlKind::void_type); }, SqlKind::string);
    case 'i': return unless([](const SqlType& type) { return type.is_integral(); }, SqlKind::integer);
    case 'l': return unless([](const SqlType& type) { return type.is_integral(); }, SqlKind::big_integer);
    case 'd': return unless([](const SqlType& type) { return type.is(SqlKind::double_float); }, SqlKind::double_float);
    case 'n': return unless([](const SqlType& type) { return type.is_numeric() || type.is(SqlKind::interval); }, SqlKind::double_float);
    case 'b': return unless([](const SqlType& type) { return type.is(SqlKind::boolean); }, SqlKind::boolean);
    case 't': return unless([](const SqlType& type) { return type.is(SqlKind::timestamp); }, SqlKind::timestamp);
    case 'D': return unless([](const SqlType& type) { return type.is(SqlKind::date); }, SqlKind::date);
    case 'x': return unless([](const SqlType& type) { return type.is(SqlKind::binary); }, SqlKind::binary);
    default: return argument;
  }
}

// Coerces the arguments and says what comes out.
SqlType prepare(std::vector<Expression>& arguments, std::string_view kinds, std::string_view result) {
  for (std::size_t i = 0; i < arguments.size() && !kinds.empty(); ++i) {
    arguments[i] = coerced_to_kind(std::move(arguments[i]), kinds[std::min(i, kinds.size() - 1)]);
  }
  const auto argument_type = [&](char digit) {
    const auto index = static_cast<std::size_t>(digit - '0');
    return index < arguments.size() ? arguments[index].type : SqlType();
  };
  if (result == "^") {
    SqlType type = arguments.empty() ? SqlType() : arguments.front().type;
    for (const Expression& argument : arguments) {
      type = common_type(type, argument.type);
    }
    for (Expression& argument : arguments) {
      argument = coerced(std::move(argument), type);
    }
    return type;
  }
  if (result.starts_with('=')) {
    return argument_type(result[1]);
  }
  if (result.starts_with("[]")) {
    return SqlType::array(argument_type(result[2]));
  }
  if (result.starts_with('e') && result.size() == 2) {
    const SqlType type = argument_type(result[1]);
    return type.is(SqlKind::array) || type.is(SqlKind::map) ? type.element() : SqlType();
  }
  return named_type(result);
}

Result<> check_count(std::string_view name, std::size_t count, int least, int most) {
  if (static_cast<int>(count) >= least && (most < 0 || static_cast<int>(count) <= most)) {
    return {};
  }
  const std::string wanted = most < 0        ? fmt::format("at least {}", least)
                             : least == most ? fmt::format("{}", least)
                                             : fmt::format("{} to {}", least, most);
  return fail(ErrorCode::query, "{} takes {} argument{}, {} given", name, wanted, wanted == "1" ? "" : "s", count);
}

tl::unexpected<Error> no_such_function(std::string_view name) {
  // The nearest by common prefix: good enough to find a forgotten ending.
  std::string_view best;
  std::size_t best_length = 3;
  const auto consider = [&](std::string_view candidate) {
    const auto common = static_cast<std::size_t>(std::ranges::mismatch(candidate, name).in1 - candidate.begin());
    if (common > best_length || (common == best_length && !best.empty() && candidate < best)) {
      best_length = common;
      best = candidate;
    }
  };
  if (std::ranges::find(spark_only, name) != std::end(spark_only)) {
    return fail(ErrorCode::unsupported, "Spark's function {} is not supported here", name);
  }
  for (const auto& [candidate, rule] : catalogue().functions) {
    consider(candidate);
  }
  for (const auto& [candidate, rule] : catalogue().aggregates) {
    consider(candidate);
  }
  return fail(ErrorCode::query, "there is no function {}{}{}", name, best.empty() ? "" : "; did you mean ", best);
}

std::string replaced(std::string_view text, std::span<const Expression> arguments, std::string Expression::*part) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '{') {
      out += text[i];
      continue;
    }
    const std::size_t close = text.find('}', i);
    CHECK(close != std::string_view::npos);
    const std::string_view inside = text.substr(i + 1, close - i - 1);
    if (inside.starts_with(',')) {
      for (std::size_t k = inside.size() > 1 ? static_cast<std::size_t>(inside[1] - '0') : 0, first = k; k < arguments.size(); ++k) {
        out += (k == first ? "" : ", ") + arguments[k].*part;
      }
    } else {
      out += arguments[static_cast<std::size_t>(inside[0] - '0')].*part;
    }
    i = close;
  }
  return out;
}

}  // namespace

std::string fill(std::string_view text, std::span<const Expression> arguments) { return replaced(text, arguments, &Expression::sql); }

std::string call_title(std::string_view name, std::span<const Expression> arguments, bool distinct) {
  return fmt::format("{}({}{})", name, distinct ? "DISTINCT " : "", replaced("{,}", arguments, &Expression::title));
}

std::string aggregate_sql(const FunctionCall& call, std::string_view function, std::string_view arguments, std::string_view more_filter) {
  // DuckDB hands a window's state to functions of the C API in a form that they can't read (it would crash); the order of a window's
  // rows is given, so that its own functions answer the same each time.
  if (!call.over.empty() && function.starts_with(marker_prefix)) {
    function.remove_prefix(marker_prefix.size());
  }
  std::string sql = fmt::format("{}({}{}", function, call.distinct ? "DISTINCT " : "", arguments);
  if (!call.order.empty()) {
    sql += " ORDER BY " + call.order;
  }
  sql += call.ignore_nulls ? " IGNORE NULLS)" : ")";
  std::string filter = call.filter;
  if (!more_filter.empty()) {
    filter += filter.empty() ? std::string(more_filter) : fmt::format(" AND {}", more_filter);
  }
  if (!filter.empty()) {
    sql += fmt::format(" FILTER (WHERE {})", filter);
  }
  if (!call.over.empty()) {
    sql += fmt::format(" OVER ({})", call.over);
  }
  return sql;
}

std::string order_title(std::string_view title, Node order) {
  const bool descending = order.text("type") == "DESCENDING";
  const std::string_view nulls = order.text("null_order");
  const bool first = nulls == "NULLS FIRST" || (nulls != "NULLS LAST" && !descending);
  return fmt::format("{} {} NULLS {}", title, descending ? "DESC" : "ASC", first ? "FIRST" : "LAST");
}

std::string aggregate_title(const FunctionCall& call) {
  std::string title = call_title(call.name, call.arguments, call.distinct);
  if (!call.filter.empty()) {
    title += fmt::format(" FILTER (WHERE {})", call.filter_title);
  }
  return title;
}

Result<SqlType> array_type(const FunctionCall& call, const Expression& argument) {
  if (argument.type.is_known() && !argument.type.is(SqlKind::array)) {
    return fail(ErrorCode::query, "{} wants an array; {} is {}", call.name, argument.title, argument.type.ddl());
  }
  return argument.type.is(SqlKind::array) ? argument.type.element() : SqlType();
}

bool is_aggregate(std::string_view name) { return catalogue().aggregates.contains(name); }

bool keeps_nodes(std::string_view name) {
  static constexpr std::string_view names[] = {"transform", "filter", "exists", "any", "some", "forall", "aggregate", "reduce", "zip_with",
                                               "map_filter", "transform_values", "transform_keys", "map_zip_with",
                                               // those that take a unit of time
                                               "dateadd", "date_diff", "timestampadd", "timestampdiff"};
  return std::ranges::find(names, name) != std::end(names) && catalogue().functions.contains(name);
}

Result<Expression> call_function(Rewriter& rewriter, FunctionCall& call) {
  const std::size_t count = std::max(call.arguments.size(), call.nodes.size());
  if (const auto found = catalogue().aggregates.find(call.name); found != catalogue().aggregates.end()) {
    const AggregateRule& rule = *found->second;
    TRIPOS_TRY(check_count(call.name, count, rule.arguments_min, rule.arguments_max));
    if (rule.build != nullptr) {
      return rule.build(rewriter, call);
    }
    Expression result{.title = aggregate_title(call)};
    result.type = prepare(call.arguments, rule.kinds, rule.result);
    const std::string sql = aggregate_sql(call, rule.function, fill(rule.arguments, call.arguments));
    const std::size_t place = rule.wrap.find("{}");
    result.sql = fmt::format("{}{}{}", rule.wrap.substr(0, place), sql, rule.wrap.substr(place + 2));
    return result;
  }
  const auto found = catalogue().functions.find(call.name);
  if (found == catalogue().functions.end()) {
    return no_such_function(call.name);
  }
  if (!call.over.empty()) {
    return fail(ErrorCode::query, "{} is no window function", call.name);
  }
  const FunctionRule& rule = *found->second;
  TRIPOS_TRY(check_count(call.name, count, rule.arguments_min, rule.arguments_max));
  if (rule.build != nullptr) {
    return rule.build(rewriter, call);
  }
  Expression result{.title = rule.title.empty() ? call_title(call.name, call.arguments)
                                                : replaced(rule.title, call.arguments, &Expression::title)};
  result.type = prepare(call.arguments, rule.kinds, rule.result);
  result.sql = fill(rule.sql, call.arguments);
  return result;
}

}  // namespace tripos::worker
