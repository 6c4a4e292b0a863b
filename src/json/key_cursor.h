// Keys at a cursor, found in a KeyTable, and the objects that they are in (internal to this folder).
#pragma once

#include "base/bytes.h"
#include "json/cursor.h"
#include "json/key_table.h"
#include "json/string.h"

namespace tripos::json {

// The key at the cursor as text: in place, or unescaped in `scratch`. False: a bad escape.
inline bool read_key(Cursor& cursor, Buffer& scratch, std::string_view& key) {
  key = cursor.raw_string();
  if (cursor.has_escape(key)) {
    if (!cursor.check_escapes(key)) return false;
    scratch.resize(key.size());
    scratch.resize(unescape_key(key, scratch.data()));
    key = scratch;
  }
  return true;
}

// The number of the key at the cursor; none: it is not among `keys`, and `key` has its text. Remembers its place after `previous`.
// The caller has seen that there is a key and a colon. False: a bad escape.
inline bool find_key(Cursor& cursor, KeyTable& keys, std::uint32_t previous, Buffer& scratch, std::uint32_t& number,
                     std::string_view& key) {
  number = keys.predict(previous, cursor.at(), cursor.next[1] - cursor.next[0] + 1);
  if (number != KeyTable::none) return true;
  if (!read_key(cursor, scratch, key)) return false;
  number = keys.find(key);
  if (number != KeyTable::none) keys.learn(previous, number);
  return true;
}

// Goes through the members of the object at the cursor and behind it; keeps its place in a register, and writes it back to the cursor for
// those that it calls:
//   find(previous, number)  at a key that is not foreseen after `previous`: its number
//   ignores_string(number)  is a string of that key nothing but skipped?
//   value(number)           at the value of that key, which it goes behind
// False: not JSON, or one of find and value has returned it.
template <typename Find, typename IgnoresString, typename Value>
bool walk_object(Cursor& cursor, const KeyTable& keys, const Find& find, const IgnoresString& ignores_string, const Value& value) {
  const std::uint32_t* token = cursor.next + 1;
  std::uint32_t previous = KeyTable::none;
  bool closed = cursor.base[*token] == '}';
  while (!closed) {
    if (!cursor.is_key(token)) {
      cursor.next = token;
      return cursor.fail_key();
    }
    std::uint32_t number = keys.predict(previous, cursor.base + token[0], token[1] - token[0] + 1);
    if (number == KeyTable::none) [[unlikely]] {
      cursor.next = token;
      if (!find(previous, number)) return false;
    }
    if (number != KeyTable::none) previous = number;
    token += 2;
    if (ignores_string(number) && cursor.is_plain_string(token)) {
      ++token;
    } else {
      cursor.next = token;
      if (!value(number)) return false;
      token = cursor.next;
    }
    const char c = token < cursor.last ? cursor.base[*token] : '\0';
    closed = c == '}';
    if (!closed && c != ',') {
      cursor.next = token;
      return cursor.fail_here();
    }
    token += closed ? 0 : 1;
  }
  cursor.next = token + 1;
  return true;
}

}  // namespace tripos::json
