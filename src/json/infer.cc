#include "json/infer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "json/cursor.h"
#include "json/key_cursor.h"
#include "json/number.h"

namespace tripos::json {

// What is known, in the form that is fast to compare with: fields in the order in which they were seen first.
// How far below the row.
struct Inference::Place {
  int levels = 0;  // structures and arrays that it is in
  int arrays = 0;  // of them

  [[nodiscard]] Place in_structure() const { return {levels + 1, arrays}; }
  [[nodiscard]] Place in_array() const { return {levels + 1, arrays + 1}; }
  // A structure, or an array, that stands there is text.
  [[nodiscard]] bool takes(bool is_array, const TypeLimits& limits) const {
    return levels <= limits.levels_max && (!is_array || arrays < limits.arrays_max);
  }
};

struct Inference::Node {
  TypeKind kind = TypeKind::null_so_far;
  int precision = 0;
  KeyTable keys;               // of a structure: number n is children[n]
  std::vector<Node> children;  // fields, or the element

  // Joins `type`, which is found at that place. True: something has changed.
  bool widen(const Type& type, Growth& growth, Place place);
  [[nodiscard]] Type type() const;

 private:
  void become(const Type& type, Growth& growth);
  [[nodiscard]] Type own_type() const;
  [[nodiscard]] std::size_t fields_below() const;
};

// How far a type may grow, and how far it has.
struct Inference::Growth {
  const TypeLimits& limits;
  std::size_t& field_count;

  [[nodiscard]] bool takes(std::string_view new_name) const {
    return field_count < limits.fields_max && new_name.size() <= limits.name_bytes_max;
  }
};

namespace {

constexpr TypeLimits no_limits = {.fields_max = std::numeric_limits<std::size_t>::max(),
                                  .levels_max = type_depth_max,
                                  .arrays_max = type_depth_max,
                                  .name_bytes_max = std::numeric_limits<std::size_t>::max()};

bool is_nested(TypeKind kind) { return kind == TypeKind::structure || kind == TypeKind::array; }

}  // namespace

Type Inference::Node::own_type() const {
  switch (kind) {
    case TypeKind::null_so_far: return Type::null_so_far();
    case TypeKind::boolean: return Type::boolean();
    case TypeKind::long_integer: return Type::long_integer();
    case TypeKind::decimal: return Type::decimal(precision);
    case TypeKind::double_float: return Type::double_float();
    case TypeKind::string: return Type::string();
    case TypeKind::structure: return Type::structure({});
    case TypeKind::array: return Type::array(Type());
  }
  return {};
}

Type Inference::Node::type() const {
  if (kind == TypeKind::array) return Type::array(children.front().type());
  if (kind != TypeKind::structure) return own_type();
  std::vector<Field> fields;
  fields.reserve(children.size());
  for (std::uint32_t i = 0; i < keys.size(); ++i) fields.push_back({keys.name(i), children[i].type()});
  return Type::structure(std::move(fields));
}

std::size_t Inference::Node::fields_below() const {
  std::size_t count = kind == TypeKind::structure ? children.size() : 0;
  for (const Node& child : children) count += child.fields_below();
  return count;
}

void Inference::Node::become(const Type& type, Growth& growth) {
  growth.field_count -= fields_below();
  kind = type.kind();
  precision = type.precision();
  keys = KeyTable();
  children.clear();
  if (kind == TypeKind::array) children.emplace_back();
}

bool Inference::Node::widen(const Type& type, Growth& growth, Place place) {
  if (type.kind() == TypeKind::null_so_far || kind == TypeKind::string) return false;
  const auto become_text = [&] {
    become(Type::string(), growth);
    return true;
  };
  if (is_nested(type.kind()) && !place.takes(type.kind() == TypeKind::array, growth.limits)) return become_text();
  const Type own = own_type();
  bool changed = false;
  if (kind != type.kind() || kind == TypeKind::decimal) {
    // join() of kinds; structures and arrays go on below, field by field.
    const Type joined = join(own, type);
    changed = joined.kind() != kind || joined.precision() != precision;
    if (changed) become(joined, growth);
    if (kind != type.kind()) return changed;
  }
  if (kind == TypeKind::array) return children.front().widen(type.element(), growth, place.in_array()) || changed;
  if (kind != TypeKind::structure) return changed;
  for (const Field& field : type.fields()) {
    std::uint32_t number = keys.find(field.name);
    if (number == KeyTable::none) {
      if (!growth.takes(field.name)) {
        if (place.levels == 0) continue;
        return become_text();
      }
      number = keys.add(field.name);
      children.emplace_back();
      ++growth.field_count;
      changed = true;
    }
    changed = children[number].widen(field.type, growth, place.in_structure()) || changed;
  }
  return changed;
}

enum class Inference::Fit : std::uint8_t { fits, changes, bad };

class Inference::Descent {
 public:
  Descent(Cursor& cursor, Buffer& scratch, Node& root, Growth growth) : cursor_(cursor), scratch_(scratch), root_(root), growth_(growth) {}

  // Does the value at the cursor fit `node`? Changes nothing that is known; stops at the first change.
  Fit fit(Node& node, int depth) {
    const char first = cursor_.peek();
    if (node.kind == TypeKind::string || first == 'n') return fits_if(cursor_.skip_value(depth));
    switch (node.kind) {
      case TypeKind::boolean: return first == 't' || first == 'f' ? fits_if(cursor_.skip_literal()) : Fit::changes;
      case TypeKind::long_integer:
      case TypeKind::decimal:
      case TypeKind::double_float: return fit_number(node);
      case TypeKind::structure: return first == '{' ? fit_object(node, depth) : Fit::changes;
      case TypeKind::array: return first == '[' ? fit_array(node, depth) : Fit::changes;
      case TypeKind::null_so_far:
      case TypeKind::string: break;
    }
    return Fit::changes;
  }

  // The type of the value at the cursor, as far as the limits let it be joined. False: not JSON.
  bool build(Type& type, int depth) {
    const char first = cursor_.peek();
    const Place place{depth_max - depth, arrays_};
    if ((first == '{' || first == '[') && !place.takes(first == '[', growth_.limits)) {
      type = Type::string();
      return cursor_.skip_value(depth);
    }
    switch (first) {
      case '{': return build_object(type, depth);
      case '[': {
        ++arrays_;
        const bool good = build_array(type, depth);
        --arrays_;
        return good;
      }
      case '"': type = Type::string(); return cursor_.skip_string();
      case 'n': type = Type::null_so_far(); return cursor_.skip_literal();
      case 't':
      case 'f': type = Type::boolean(); return cursor_.skip_literal();
      default: break;
    }
    const char* const begin = cursor_.at();
    if (*begin != '-' && !is_digit(*begin)) return cursor_.fail_here();
    bool integer = false;
    const char* const end = scan_number(begin, integer);
    if (end == nullptr) return cursor_.fail(Reason::bad_number, begin);
    type = type_of_number({begin, end}, integer);
    ++cursor_.next;
    return true;
  }

 private:
  static Fit fits_if(bool good) { return good ? Fit::fits : Fit::bad; }

  Fit fit_number(const Node& node) {
    const char* const begin = cursor_.at();
    bool integer = false;
    const char* const end = scan_number(begin, integer);
    if (end == nullptr) return Fit::changes;
    const std::string_view text(begin, end);
    if (node.kind == TypeKind::long_integer && !(integer && fits_long(text))) return Fit::changes;
    if (node.kind == TypeKind::decimal && !(integer && fits_decimal(text, node.precision))) return Fit::changes;
    ++cursor_.next;
    return Fit::fits;
  }

  static bool fits_long(std::string_view text) {
    std::int64_t value;
    return digit_count(text) < 19 || read_long(text, value);
  }
  // A bigint needs decimal_precision_of_long, however few its digits are.
  static bool fits_decimal(std::string_view text, int precision) {
    return digit_count(text) <= static_cast<std::size_t>(precision) && (precision >= decimal_precision_of_long || !fits_long(text));
  }

  Fit fit_array(Node& node, int depth) {
    if (depth <= 0) return fits_if(cursor_.fail(Reason::too_deep, cursor_.at()));
    Node& element = node.children.front();
    ++cursor_.next;
    if (cursor_.peek() == ']') {
      ++cursor_.next;
      return Fit::fits;
    }
    while (true) {
      const Fit fitted = fit(element, depth - 1);
      if (fitted != Fit::fits) return fitted;
      if (cursor_.at_comma()) {
        ++cursor_.next;
        continue;
      }
      if (!cursor_.at_close(']')) return fits_if(cursor_.fail_here());
      ++cursor_.next;
      return Fit::fits;
    }
  }

  Fit fit_object(Node& node, int depth) {
    if (depth <= 0) return fits_if(cursor_.fail(Reason::too_deep, cursor_.at()));
    Fit fitted = Fit::bad;  // if the walk ends early: why
    const auto find = [&](std::uint32_t previous, std::uint32_t& number) {
      std::string_view key;
      if (!find_key(cursor_, node.keys, previous, scratch_, number, key)) return false;
      if (number != KeyTable::none || (&node == &root_ && !growth_.takes(key))) return true;
      fitted = Fit::changes;
      return false;
    };
    const auto is_string = [&](std::uint32_t number) { return number != KeyTable::none && node.children[number].kind == TypeKind::string; };
    const bool walked = walk_object(cursor_, node.keys, find, is_string, [&](std::uint32_t number) {
      if (number == KeyTable::none) return cursor_.skip_value(depth - 1);
      const Fit child = fit(node.children[number], depth - 1);
      if (child != Fit::fits) fitted = child;
      return child == Fit::fits;
    });
    return walked ? Fit::fits : fitted;
  }

  bool build_object(Type& type, int depth) {
    if (depth <= 0) return cursor_.fail(Reason::too_deep, cursor_.at());
    const bool is_row = depth == depth_max;
    const std::size_t fields_max = growth_.limits.fields_max;
    bool full = false;  // more fields than a type may have; so many keys are not remembered
    std::size_t compact_at = fields_max;
    std::vector<Field> fields;
    ++cursor_.next;
    if (cursor_.peek() == '}') {
      ++cursor_.next;
    } else {
      while (true) {
        if (!cursor_.at_key()) return cursor_.fail_key();
        std::string_view key;
        if (!read_key(cursor_, scratch_, key)) return false;
        if (fields.size() / 2 >= compact_at) {  // of duplicate keys the last
          const Type distinct = Type::structure(std::move(fields));
          fields.assign(distinct.fields().begin(), distinct.fields().end());
          full = full || fields.size() > fields_max;
          compact_at = std::max(compact_at, fields.size());
        }
        const bool left_out = is_row ? is_new(key) && (full || !growth_.takes(key)) : full;
        cursor_.next += 2;
        if (left_out) {
          if (!cursor_.skip_value(depth - 1)) return false;
        } else {
          fields.push_back({std::string(key), {}});
          Type built;
          if (!build(built, depth - 1)) return false;
          fields.back().type = std::move(built);
        }
        if (cursor_.at_comma()) {
          ++cursor_.next;
          continue;
        }
        if (!cursor_.at_close('}')) return cursor_.fail_here();
        ++cursor_.next;
        break;
      }
    }
    // Of duplicate keys the last stays.
    type = full && !is_row ? Type::string() : Type::structure(std::move(fields));
    return true;
  }

  [[nodiscard]] bool is_new(std::string_view key) const {
    return root_.kind != TypeKind::structure || root_.keys.find(key) == KeyTable::none;
  }

  bool build_array(Type& type, int depth) {
    if (depth <= 0) return cursor_.fail(Reason::too_deep, cursor_.at());
    Type element;
    ++cursor_.next;
    if (cursor_.peek() == ']') {
      ++cursor_.next;
    } else {
      while (true) {
        Type one;
        if (!build(one, depth - 1)) return false;
        if (!covers(element, one)) element = join(element, one);
        if (cursor_.at_comma()) {
          ++cursor_.next;
          continue;
        }
        if (!cursor_.at_close(']')) return cursor_.fail_here();
        ++cursor_.next;
        break;
      }
    }
    type = Type::array(std::move(element));
    return true;
  }

  Cursor& cursor_;
  Buffer& scratch_;
  Node& root_;
  Growth growth_;
  int arrays_ = 0;  // that build() is in
};

Inference::Inference(TypeLimits limits) : limits_(limits), root_(std::make_unique<Node>()) {}
Inference::Inference(const Type& known, TypeLimits limits) : Inference(limits) { merge(known); }
Inference::~Inference() = default;
Inference::Inference(Inference&&) noexcept = default;
Inference& Inference::operator=(Inference&&) noexcept = default;

Verdict Inference::add(std::optional<Bytes> value) {
  if (!value.has_value()) return {.outcome = Outcome::tombstone};
  Cursor cursor;
  const Verdict started = reader_.start(*value, cursor);
  if (!started.is_row()) return started;
  const std::uint32_t* const first = cursor.next;
  Growth growth{limits_, field_count_};
  Descent descent(cursor, scratch_, *root_, growth);
  const Fit fitted = descent.fit(*root_, depth_max);
  if (fitted != Fit::changes) return Reader::finish(cursor, fitted == Fit::fits);
  cursor.go_back(first);
  Type type;
  const bool good = descent.build(type, depth_max);
  const Verdict verdict = Reader::finish(cursor, good);
  if (verdict.is_row() && root_->widen(type, growth, {})) ++version_;
  return verdict;
}

void Inference::merge(const Type& other) {
  CHECK(other.kind() == TypeKind::null_so_far || other.kind() == TypeKind::structure);
  Growth growth{no_limits, field_count_};
  if (root_->widen(other, growth, {})) ++version_;
}

const Type& Inference::type() const {
  if (type_version_ != version_) {
    type_ = root_->type();
    type_version_ = version_;
  }
  return type_;
}

}  // namespace tripos::json
