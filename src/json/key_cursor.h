// The key at a cursor, found in a KeyTable (internal to this folder).
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

}  // namespace tripos::json
