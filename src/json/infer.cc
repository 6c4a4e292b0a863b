#include "json/infer.h"

#include <utility>

#include "base/check.h"
#include "json/cursor.h"
#include "json/key_cursor.h"
#include "json/number.h"

namespace tripos::json {

// What is known, in the form that is fast to compare with: fields in the order in which they were seen first.
struct Inference::Node {
  TypeKind kind = TypeKind::null_so_far;
  int precision = 0;
  KeyTable keys;               // of a structure: number n is children[n]
  std::vector<Node> children;  // fields, or the element

  // Joins `type`. True: something has changed.
  bool widen(const Type& type);
  [[nodiscard]] Type type() const;

 private:
  void become(const Type& type);
  [[nodiscard]] Type own_type() const;
};

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

void Inference::Node::become(const Type& type) {
  kind = type.kind();
  precision = type.precision();
  keys = KeyTable();
  children.clear();
  if (kind == TypeKind::array) children.emplace_back();
}

bool Inference::Node::widen(const Type& type) {
  const Type own = own_type();
  bool changed = false;
  if (type.kind() == TypeKind::null_so_far) return false;
  if (kind != type.kind() || kind == TypeKind::decimal) {
    // join() of kinds; structures and arrays go on below, field by field.
    const Type joined = join(own, type);
    changed = joined.kind() != kind || joined.precision() != precision;
    if (changed) become(joined);
    if (kind != type.kind()) return changed;
  }
  if (kind == TypeKind::array) return children.front().widen(type.element()) || changed;
  if (kind != TypeKind::structure) return changed;
  for (const Field& field : type.fields()) {
    std::uint32_t number = keys.find(field.name);
    if (number == KeyTable::none) {
      number = keys.add(field.name);
      children.emplace_back();
      changed = true;
    }
    changed = children[number].widen(field.type) || changed;
  }
  return changed;
}

enum class Inference::Fit : std::uint8_t { fits, changes, bad };

class Inference::Descent {
 public:
  Descent(Cursor& cursor, Buffer& scratch) : cursor_(cursor), scratch_(scratch) {}

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

  // The type of the value at the cursor. False: not JSON.
  bool build(Type& type, int depth) {
    switch (cursor_.peek()) {
      case '{': return build_object(type, depth);
      case '[': return build_array(type, depth);
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
    ++cursor_.next;
    if (cursor_.peek() == '}') {
      ++cursor_.next;
      return Fit::fits;
    }
    std::uint32_t number = KeyTable::none;
    while (true) {
      if (!cursor_.at_key()) return fits_if(cursor_.fail_key());
      std::string_view key;
      if (!find_key(cursor_, node.keys, number, scratch_, number, key)) return Fit::bad;
      if (number == KeyTable::none) return Fit::changes;
      cursor_.next += 2;
      const Fit fitted = fit(node.children[number], depth - 1);
      if (fitted != Fit::fits) return fitted;
      if (cursor_.at_comma()) {
        ++cursor_.next;
        continue;
      }
      if (!cursor_.at_close('}')) return fits_if(cursor_.fail_here());
      ++cursor_.next;
      return Fit::fits;
    }
  }

  bool build_object(Type& type, int depth) {
    if (depth <= 0) return cursor_.fail(Reason::too_deep, cursor_.at());
    std::vector<Field> fields;
    ++cursor_.next;
    if (cursor_.peek() == '}') {
      ++cursor_.next;
    } else {
      while (true) {
        if (!cursor_.at_key()) return cursor_.fail_key();
        std::string_view key;
        if (!read_key(cursor_, scratch_, key)) return false;
        fields.push_back({std::string(key), {}});
        cursor_.next += 2;
        if (!build(fields.back().type, depth - 1)) return false;
        if (cursor_.at_comma()) {
          ++cursor_.next;
          continue;
        }
        if (!cursor_.at_close('}')) return cursor_.fail_here();
        ++cursor_.next;
        break;
      }
    }
    type = Type::structure(std::move(fields));  // of duplicate keys the last stays
    return true;
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
};

Inference::Inference() : root_(std::make_unique<Node>()) {}
Inference::Inference(const Type& known) : Inference() { merge(known); }
Inference::~Inference() = default;
Inference::Inference(Inference&&) noexcept = default;
Inference& Inference::operator=(Inference&&) noexcept = default;

Verdict Inference::add(std::optional<Bytes> value) {
  if (!value.has_value()) return {.outcome = Outcome::tombstone};
  Cursor cursor;
  const Verdict started = reader_.start(*value, cursor);
  if (!started.is_row()) return started;
  const std::uint32_t* const first = cursor.next;
  Descent descent(cursor, scratch_);
  const Fit fitted = descent.fit(*root_, depth_max);
  if (fitted != Fit::changes) return Reader::finish(cursor, fitted == Fit::fits);
  cursor.next = first;
  Type type;
  const bool good = descent.build(type, depth_max);
  const Verdict verdict = Reader::finish(cursor, good);
  if (verdict.is_row() && root_->widen(type)) ++version_;
  return verdict;
}

void Inference::merge(const Type& other) {
  CHECK(other.kind() == TypeKind::null_so_far || other.kind() == TypeKind::structure);
  if (root_->widen(other)) ++version_;
}

const Type& Inference::type() const {
  if (type_version_ != version_) {
    type_ = root_->type();
    type_version_ = version_;
  }
  return type_;
}

}  // namespace tripos::json
