// Spark's functions of text.
#include <charconv>

#include "worker/dialect/catalogue.h"

namespace tripos::worker {
namespace {

SqlType first_type(const FunctionCall& call) { return call.arguments.empty() ? SqlType() : call.arguments.front().type; }

// Adds the argument that Spark shows in the title even where the statement leaves it out.
void add_default(FunctionCall& call, std::size_t count, std::string_view sql, std::string_view title, SqlKind kind) {
  if (call.arguments.size() < count) {
    call.arguments.push_back({.sql = std::string(sql), .type = kind, .title = std::string(title)});
  }
}

// Strings, or arrays, one after the other; NULL if one is.
Result<Expression> build_concat(Rewriter&, FunctionCall& call) {
  Expression result{.type = SqlKind::string, .title = call_title("concat", call.arguments)};
  const bool arrays = first_type(call).is(SqlKind::array);
  if (arrays) {
    result.type = first_type(call);
  }
  for (Expression& argument : call.arguments) {
    if (!arrays && argument.type.is_known()) {
      argument = coerced(std::move(argument), SqlKind::string);
    }
    result.sql = result.sql.empty() ? argument.sql : fmt::format("({} || {})", result.sql, argument.sql);
  }
  if (call.arguments.size() == 1) {
    result.sql = fmt::format("({})", result.sql);
  }
  return result;
}

Result<Expression> build_concat_ws(Rewriter&, FunctionCall& call) {
  Expression result{.type = SqlKind::string, .title = call_title("concat_ws", call.arguments)};
  const std::string separator = coerced(call.arguments.front(), SqlKind::string).sql;
  std::string list = separator;
  for (std::size_t i = 1; i < call.arguments.size(); ++i) {
    const Expression& argument = call.arguments[i];
    list += ", " + (argument.type.is(SqlKind::array) ? fmt::format("array_to_string({}, {})", argument.sql, separator)
                    : argument.type.is_known()       ? coerced(argument, SqlKind::string).sql
                                                     : argument.sql);
  }
  result.sql = call.arguments.size() == 1 ? std::string("''") : fmt::format("concat_ws({})", list);
  return result;
}

// Backslash escapes in a pattern, as everywhere in Spark.
Result<Expression> build_like(Rewriter&, FunctionCall& call) {
  const std::string_view word = call.name == "like" ? "LIKE" : "ILIKE";
  for (Expression& argument : call.arguments) {
    if (argument.type.is_known() && !argument.text) {
      argument = coerced(std::move(argument), SqlKind::string);
    }
  }
  const Expression& value = call.arguments[0];
  const Expression& pattern = call.arguments[1];
  Expression result{.type = SqlKind::boolean,
                    .title = call.name == "like" ? fmt::format("{} LIKE {}", value.title, pattern.title)
                                                 : fmt::format("ilike({}, {})", value.title, pattern.title)};
  const bool escapes = !pattern.text || pattern.text->find('\\') != std::string::npos;
  result.sql = fmt::format("({} {} {}{})", value.sql, word, pattern.sql, escapes ? " ESCAPE '\\'" : "");
  return result;
}

Result<Expression> build_like_escape(Rewriter&, FunctionCall& call) {
  return Expression{
      .sql = fill("({0} LIKE {1} ESCAPE {2})", call.arguments),
      .type = SqlKind::boolean,
      .title = fmt::format("{} LIKE {} ESCAPE '{}'", call.arguments[0].title, call.arguments[1].title, call.arguments[2].title)};
}

// Java's $1 is \1 here.
Result<Expression> build_regexp_replace(Rewriter&, FunctionCall& call) {
  Expression result{
      .type = SqlKind::string,
      .title = fmt::format("regexp_replace({}, {}, {}, 1)", call.arguments[0].title, call.arguments[1].title, call.arguments[2].title)};
  Expression& replacement = call.arguments[2];
  if (replacement.text) {
    std::string text;
    for (std::size_t i = 0; i < replacement.text->size(); ++i) {
      const char c = (*replacement.text)[i];
      if (c == '\\' && i + 1 < replacement.text->size()) {
        text += (*replacement.text)[++i];
      } else {
        text += c == '$' ? '\\' : c;
      }
    }
    replacement.sql = literal(text);
  }
  result.sql = fmt::format("regexp_replace({}, {}, {}, 'g')", coerced(call.arguments[0], SqlKind::string).sql, call.arguments[1].sql,
                           replacement.sql);
  return result;
}

Result<Expression> build_substring(Rewriter&, FunctionCall& call) {
  Expression text = call.arguments[0];
  if (text.type.is_known() && !text.type.is(SqlKind::binary)) {
    text = coerced(std::move(text), SqlKind::string);
  }
  const Expression position = coerced(call.arguments[1], SqlKind::integer);
  Expression result{.type = text.type.is(SqlKind::binary) ? SqlType(SqlKind::binary) : SqlType(SqlKind::string)};
  const bool has_length = call.arguments.size() == 3;
  const std::string length = has_length ? coerced(call.arguments[2], SqlKind::integer).sql : "2147483647";
  result.sql = fmt::format("tripos_substring({}, {}, {})", text.sql, position.sql, length);
  result.title = fmt::format("{}({}, {}, {})", call.name, call.arguments[0].title, call.arguments[1].title,
                             has_length ? call.arguments[2].title : "2147483647");
  return result;
}

// trim(LEADING x FROM y) comes as ltrim(y, x); written as a call, what is cut off comes first.
Result<Expression> build_trim(Rewriter&, FunctionCall& call) {
  if (call.marked && call.arguments.size() == 2) {
    std::swap(call.arguments[0], call.arguments[1]);
  }
  const Expression text = coerced(call.arguments[0], SqlKind::string);
  Expression result{.type = SqlKind::string};
  if (call.arguments.size() == 1) {
    result.sql = fmt::format("{}({}, ' ')", call.name == "btrim" ? "trim" : call.name, text.sql);
    result.title = call_title(call.name, call.arguments);
    return result;
  }
  const std::string_view side = call.name == "ltrim" ? "LEADING" : call.name == "rtrim" ? "TRAILING" : "BOTH";
  if (call.name == "btrim") {
    result.sql = fill("trim({0}, {1})", call.arguments);
    result.title = call_title(call.name, call.arguments);
    return result;
  }
  result.sql = fmt::format("{}({}, {})", call.name, text.sql, call.arguments[1].sql);
  result.title = fmt::format("TRIM({} {} FROM {})", side, call.arguments[1].title, call.arguments[0].title);
  return result;
}

Result<Expression> build_overlay(Rewriter&, FunctionCall& call) {
  add_default(call, 4, "-1", "-1", SqlKind::integer);
  const std::string title = call_title("overlay", call.arguments);
  for (std::size_t i = 0; i < 4; ++i) {
    call.arguments[i] = coerced(std::move(call.arguments[i]), i < 2 ? SqlKind::string : SqlKind::integer);
  }
  return Expression{.sql = fill("(left({0}, {2} - 1) || {1} || substring({0}, {2} + CASE WHEN {3} >= 0 THEN {3} ELSE CAST(length({1}) AS "
                                "INTEGER) END))",
                                call.arguments),
                    .type = SqlKind::string,
                    .title = title};
}

// By a regular expression; with a limit the last part keeps the rest as it is.
Result<Expression> build_split(Rewriter&, FunctionCall& call) {
  add_default(call, 3, "-1", "-1", SqlKind::integer);
  Expression result{.type = SqlType::array(SqlKind::string), .title = call_title("split", call.arguments)};
  long long limit = -1;
  const std::string& digits = call.arguments[2].title;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), limit).ptr != digits.data() + digits.size()) {
    return fail(ErrorCode::unsupported, "split wants its limit as a number, not as {}", digits);
  }
  call.arguments[0] = coerced(std::move(call.arguments[0]), SqlKind::string);
  result.sql = fill("string_split_regex({0}, {1})", call.arguments);
  if (limit > 0) {
    const auto kept = [&](std::string_view all) {
      return fmt::format("length(array_to_string(list_slice({}, 1, {}), ''))", all, limit - 1);
    };
    const std::string separators = fill("regexp_extract_all({0}, {1})", call.arguments);
    result.sql =
        fmt::format("CASE WHEN len({0}) <= {1} THEN {0} ELSE list_append(list_slice({0}, 1, {2}), substring({3}, 1 + {4} + {5})) END",
                    result.sql, limit, limit - 1, call.arguments[0].sql, kept(result.sql), kept(separators));
  }
  return result;
}

Result<Expression> build_elt(Rewriter&, FunctionCall& call) {
  std::string list;
  for (std::size_t i = 1; i < call.arguments.size(); ++i) {
    list += (i == 1 ? "" : ", ") + coerced(call.arguments[i], SqlKind::string).sql;
  }
  const std::string index = coerced(call.arguments[0], SqlKind::integer).sql;
  return Expression{.sql = fmt::format("list_extract([{}], CASE WHEN {} > 0 THEN {} END)", list, index, index),
                    .type = SqlKind::string,
                    .title = call_title("elt", call.arguments)};
}

Result<Expression> build_sha2(Rewriter&, FunctionCall& call) {
  const std::string& bits = call.arguments[1].title;
  if (bits != "256" && bits != "0") {
    return fail(ErrorCode::unsupported, "sha2 is supported with 256 bits, not with {}", bits);
  }
  return Expression{.sql = fmt::format("sha256({})", coerced(call.arguments[0], SqlKind::string).sql),
                    .type = SqlKind::string,
                    .title = call_title("sha2", call.arguments)};
}

// decode(bytes, charset), or decode(x, a, result, b, result, …, otherwise)
Result<Expression> build_decode(Rewriter& rewriter, FunctionCall& call) {
  Expression result{.title = call_title("decode", call.arguments)};
  if (call.arguments.size() == 2) {
    result.sql = fill("tripos_string({0})", call.arguments);
    result.type = SqlKind::string;
    return result;
  }
  const std::size_t count = call.arguments.size();
  const bool has_default = count % 2 == 0;
  SqlType type = call.arguments[2].type;
  for (std::size_t i = 4; i < count; i += 2) {
    type = common_type(type, call.arguments[i].type);
  }
  if (has_default) {
    type = common_type(type, call.arguments.back().type);
  }
  result.sql = "CASE";
  for (std::size_t i = 1; i + 1 < count; i += 2) {
    result.sql += fmt::format(" WHEN {} THEN {}", rewriter.comparison("<=>", call.arguments[0], call.arguments[i]).sql,
                              coerced(call.arguments[i + 1], type).sql);
  }
  result.sql += has_default ? fmt::format(" ELSE {} END", coerced(call.arguments.back(), type).sql) : " END";
  result.type = type;
  return result;
}

Result<Expression> build_reverse(Rewriter&, FunctionCall& call) {
  const bool array = first_type(call).is(SqlKind::array);
  return Expression{.sql = array ? fill("list_reverse({0})", call.arguments)
                                 : fmt::format("reverse({})", coerced(call.arguments[0], SqlKind::string).sql),
                    .type = array ? first_type(call) : SqlType(SqlKind::string),
                    .title = call_title("reverse", call.arguments)};
}

Result<Expression> build_length(Rewriter&, FunctionCall& call) {
  const Expression& argument = call.arguments[0];
  const bool binary = argument.type.is(SqlKind::binary);
  return Expression{.sql = binary ? fmt::format("CAST(octet_length({}) AS INTEGER)", argument.sql)
                                  : fmt::format("CAST(length({}) AS INTEGER)",
                                                argument.type.is_known() ? coerced(argument, SqlKind::string).sql : argument.sql),
                    .type = SqlKind::integer,
                    .title = call_title(call.name, call.arguments)};
}

// string(x), int(x) … are casts by another name.
template <SqlKind kind>
Result<Expression> build_cast(Rewriter&, FunctionCall& call) {
  Expression result = coerced(call.arguments[0], kind);
  result.type = kind;
  result.title = fmt::format("CAST({} AS {})", call.arguments[0].title, SqlType(kind).title());
  result.name = call.arguments[0].column_name();
  result.text.reset();
  result.literal = false;
  return result;
}

// 1L, 1S, 1Y, 1.5F
template <SqlKind kind>
Result<Expression> build_number(Rewriter&, FunctionCall& call) {
  Expression result = call.arguments[0];
  result.sql = fmt::format("CAST({} AS {})", result.sql, SqlType(kind).duckdb());
  result.type = kind;
  return result;
}

Result<Expression> build_octet_length(Rewriter&, FunctionCall& call) {
  const Expression& argument = call.arguments[0];
  const std::string bytes =
      argument.type.is(SqlKind::binary) ? argument.sql : fmt::format("encode({})", coerced(argument, SqlKind::string).sql);
  return Expression{.sql = fmt::format("CAST(octet_length({}){} AS INTEGER)", bytes, call.name == "bit_length" ? " * 8" : ""),
                    .type = SqlKind::integer,
                    .title = call_title(call.name, call.arguments)};
}

Result<Expression> build_pad(Rewriter&, FunctionCall& call) {
  add_default(call, 3, "' '", " ", SqlKind::string);
  return Expression{.sql = fmt::format("{}({}, greatest({}, 0), {})", call.name, coerced(call.arguments[0], SqlKind::string).sql,
                                       coerced(call.arguments[1], SqlKind::integer).sql, call.arguments[2].sql),
                    .type = SqlKind::string,
                    .title = call_title(call.name, call.arguments)};
}

Result<Expression> build_locate(Rewriter&, FunctionCall& call) {
  add_default(call, 3, "1", "1", SqlKind::integer);
  const std::string from = coerced(call.arguments[2], SqlKind::integer).sql;
  const std::string text = coerced(call.arguments[1], SqlKind::string).sql;
  const std::string part = coerced(call.arguments[0], SqlKind::string).sql;
  return Expression{.sql = from == "1" ? fmt::format("CAST(instr({}, {}) AS INTEGER)", text, part)
                                       : fmt::format("CASE WHEN {2} < 1 THEN 0 WHEN instr(substring({0}, {2}), {1}) = 0 THEN 0 ELSE "
                                                     "CAST(instr(substring({0}, {2}), {1}) + {2} - 1 AS INTEGER) END",
                                                     text, part, from),
                    .type = SqlKind::integer,
                    .title = call_title(call.name, call.arguments)};
}

Result<Expression> build_replace(Rewriter&, FunctionCall& call) {
  const std::string replacement = call.arguments.size() == 3 ? coerced(call.arguments[2], SqlKind::string).sql : "''";
  const std::string search = coerced(call.arguments[1], SqlKind::string).sql;
  const std::string text = coerced(call.arguments[0], SqlKind::string).sql;
  return Expression{.sql = fmt::format("replace({}, {}, {})", text, search, replacement),
                    .type = SqlKind::string,
                    .title = fmt::format("replace({}, {}, {})", call.arguments[0].title, call.arguments[1].title,
                                         call.arguments.size() == 3 ? call.arguments[2].title : "")};
}

constexpr FunctionRule text_rules[] = {
    {"upper", 1, 1, "s", "string", "upper({0})"},
    {"ucase", 1, 1, "s", "string", "upper({0})"},
    {"lower", 1, 1, "s", "string", "lower({0})"},
    {"lcase", 1, 1, "s", "string", "lower({0})"},
    {"length", 1, 1, "*", "int", "", {}, build_length},
    {"len", 1, 1, "*", "int", "", {}, build_length},
    {"char_length", 1, 1, "*", "int", "", {}, build_length},
    {"character_length", 1, 1, "*", "int", "", {}, build_length},
    {"octet_length", 1, 1, "*", "int", "", {}, build_octet_length},
    {"bit_length", 1, 1, "*", "int", "", {}, build_octet_length},
    {"trim", 1, 2, "s", "string", "", {}, build_trim},
    {"ltrim", 1, 2, "s", "string", "", {}, build_trim},
    {"rtrim", 1, 2, "s", "string", "", {}, build_trim},
    {"btrim", 1, 2, "s", "string", "", {}, build_trim},
    {"lpad", 2, 3, "sis", "string", "", {}, build_pad},
    {"rpad", 2, 3, "sis", "string", "", {}, build_pad},
    {"substring", 2, 3, "*", "string", "", {}, build_substring},
    {"substr", 2, 3, "*", "string", "", {}, build_substring},
    {"substring_index", 3, 3, "ssi", "string", "tripos_substring_index({0}, {1}, {2})"},
    {"left", 2, 2, "si", "string", "left({0}, greatest({1}, 0))"},
    {"right", 2, 2, "si", "string", "right({0}, greatest({1}, 0))"},
    {"concat", 1, -1, "*", "string", "", {}, build_concat},
    {"concat_ws", 1, -1, "*", "string", "", {}, build_concat_ws},
    {"instr", 2, 2, "s", "int", "CAST(instr({0}, {1}) AS INTEGER)"},
    {"locate", 2, 3, "ssi", "int", "", {}, build_locate},
    {"position", 2, 3, "ssi", "int", "", {}, build_locate},
    {"replace", 2, 3, "s", "string", "", {}, build_replace},
    {"translate", 3, 3, "s", "string", "translate({0}, {1}, {2})"},
    {"overlay", 3, 4, "*", "string", "", {}, build_overlay},
    {"reverse", 1, 1, "*", "string", "", {}, build_reverse},
    {"repeat", 2, 2, "si", "string", "repeat({0}, greatest({1}, 0))"},
    {"space", 1, 1, "i", "string", "repeat(' ', greatest({0}, 0))"},
    {"split", 2, 3, "s", "array<string>", "", {}, build_split},
    {"elt", 2, -1, "*", "string", "", {}, build_elt},
    {"find_in_set", 2, 2, "s", "int",
     "CASE WHEN contains({0}, ',') THEN 0 ELSE CAST(coalesce(list_position(string_split({1}, ','), {0}), CASE WHEN {0} IS NOT NULL AND {1} "
     "IS "
     "NOT NULL THEN 0 END) AS INTEGER) END"},
    {"regexp_substr", 2, 2, "s", "string", "nullif(regexp_extract({0}, {1}), '')"},
    {"regexp_instr", 2, 2, "s", "int",
     "CASE WHEN regexp_matches({0}, {1}) THEN CAST(instr({0}, regexp_extract({0}, {1})) AS INTEGER) ELSE 0 END",
     "regexp_instr({0}, {1}, 0)"},
    {"url_encode", 1, 1, "s", "string", "replace(url_encode({0}), '%20', '+')"},
    {"url_decode", 1, 1, "s", "string", "url_decode(replace({0}, '+', ' '))"},
    {"json_object_keys", 1, 1, "s", "array<string>", "CASE WHEN json_valid({0}) AND json_type({0}) = 'OBJECT' THEN json_keys({0}) END"},
    {"json_kinds", 1, 1, "x", "array<string>", "tripos_json_kinds({0})"},
    {"sha2", 2, 2, "*", "string", "", {}, build_sha2},
    {"current_schema", 0, 0, "", "string", "'default'"},
    {"current_database", 0, 0, "", "string", "'default'", "current_schema()"},
    {"current_catalog", 0, 0, "", "string", "'spark_catalog'"},
    {"uuid", 0, 0, "", "string", "CAST(uuid() AS VARCHAR)"},
    {"split_part", 3, 3, "ssi", "string", "split_part({0}, {1}, {2})"},
    {"initcap", 1, 1, "s", "string", "tripos_initcap({0})"},
    {"ascii", 1, 1, "s", "int", "ascii({0})"},
    {"chr", 1, 1, "i", "string", "chr({0})"},
    {"char", 1, 1, "i", "string", "chr({0})"},
    {"startswith", 2, 2, "s", "boolean", "starts_with({0}, {1})"},
    {"endswith", 2, 2, "s", "boolean", "ends_with({0}, {1})"},
    {"contains", 2, 2, "s", "boolean", "contains({0}, {1})"},
    {"like", 2, 2, "*", "boolean", "", {}, build_like},
    {"ilike", 2, 2, "*", "boolean", "", {}, build_like},
    {"like_escape", 3, 3, "s", "boolean", "", {}, build_like_escape},
    {"rlike", 2, 2, "s", "boolean", "regexp_matches({0}, {1})", "RLIKE({0}, {1})"},
    {"regexp", 2, 2, "s", "boolean", "regexp_matches({0}, {1})", "REGEXP({0}, {1})"},
    {"regexp_like", 2, 2, "s", "boolean", "regexp_matches({0}, {1})", "REGEXP_LIKE({0}, {1})"},
    {"regexp_full_match", 2, 2, "s", "boolean", "regexp_matches({0}, {1})", "RLIKE({0}, {1})"},  // SIMILAR TO, as RLIKE is respelled
    {"regexp_extract",
     2,
     3,
     "ssi",
     "string",
     "",
     {},
     [](Rewriter&, FunctionCall& call) -> Result<Expression> {
       const std::string group = call.arguments.size() == 3 ? call.arguments[2].title : "1";
       return Expression{.sql = fmt::format("regexp_extract({}, {}, {})", coerced(call.arguments[0], SqlKind::string).sql,
                                            call.arguments[1].sql, call.arguments.size() == 3 ? call.arguments[2].sql : "1"),
                         .type = SqlKind::string,
                         .title = fmt::format("regexp_extract({}, {}, {})", call.arguments[0].title, call.arguments[1].title, group)};
     }},
    {"regexp_extract_all",
     2,
     3,
     "ssi",
     "array<string>",
     "",
     {},
     [](Rewriter&, FunctionCall& call) -> Result<Expression> {
       const bool has_group = call.arguments.size() == 3;
       return Expression{.sql = fmt::format("regexp_extract_all({}, {}, {})", coerced(call.arguments[0], SqlKind::string).sql,
                                            call.arguments[1].sql, has_group ? call.arguments[2].sql : "1"),
                         .type = SqlType::array(SqlKind::string),
                         .title = fmt::format("regexp_extract_all({}, {}, {})", call.arguments[0].title, call.arguments[1].title,
                                              has_group ? call.arguments[2].title : "1")};
     }},
    {"regexp_replace", 3, 3, "s", "string", "", {}, build_regexp_replace},
    {"regexp_count", 2, 2, "s", "int", "CAST(len(regexp_extract_all({0}, {1})) AS INTEGER)"},
    {"md5", 1, 1, "s", "string", "md5({0})"},
    {"sha1", 1, 1, "s", "string", "sha1({0})"},
    {"sha", 1, 1, "s", "string", "sha1({0})"},
    {"base64", 1, 1, "*", "string", "to_base64(CAST({0} AS BLOB))"},
    {"unbase64", 1, 1, "s", "binary", "from_base64({0})"},
    {"hex", 1, 1, "*", "string", "hex({0})"},
    {"unhex", 1, 1, "s", "binary", "unhex({0})"},
    {"binary_literal", 1, 1, "s", "binary", "unhex({0})", "X'{0}'"},
    {"encode", 2, 2, "s", "binary", "encode({0})"},
    {"decode", 2, -1, "*", "string", "", {}, build_decode},
    {"levenshtein", 2, 2, "s", "int", "CAST(levenshtein({0}, {1}) AS INTEGER)"},
    {"format_number", 2, 2, "di", "string", "tripos_format_number({0}, {1})"},
    {"get_json_object", 2, 2, "s", "string", "tripos_get_json_object({0}, {1})"},
    {"json_array_length", 1, 1, "s", "int", "tripos_json_array_length({0})"},
    {"to_json", 1, 1, "*", "string", "tripos_to_json({0})"},
    {"string", 1, 1, "*", "string", "", {}, build_cast<SqlKind::string>},
    {"int", 1, 1, "*", "int", "", {}, build_cast<SqlKind::integer>},
    {"bigint", 1, 1, "*", "bigint", "", {}, build_cast<SqlKind::big_integer>},
    {"smallint", 1, 1, "*", "int", "", {}, build_cast<SqlKind::small_integer>},
    {"tinyint", 1, 1, "*", "int", "", {}, build_cast<SqlKind::tiny_integer>},
    {"double", 1, 1, "*", "double", "", {}, build_cast<SqlKind::double_float>},
    {"float", 1, 1, "*", "double", "", {}, build_cast<SqlKind::real>},
    {"boolean", 1, 1, "*", "boolean", "", {}, build_cast<SqlKind::boolean>},
    {"binary", 1, 1, "*", "binary", "", {}, build_cast<SqlKind::binary>},
    {"date", 1, 1, "*", "date", "", {}, build_cast<SqlKind::date>},
    {"timestamp", 1, 1, "*", "timestamp", "", {}, build_cast<SqlKind::timestamp>},
    {"long", 1, 1, "*", "bigint", "", {}, build_number<SqlKind::big_integer>},
    {"short", 1, 1, "*", "int", "", {}, build_number<SqlKind::small_integer>},
    {"byte", 1, 1, "*", "int", "", {}, build_number<SqlKind::tiny_integer>},
    {"real", 1, 1, "*", "double", "", {}, build_number<SqlKind::real>},
};

}  // namespace

std::span<const FunctionRule> text_functions() { return text_rules; }

}  // namespace tripos::worker
