// FieldKinds: what kinds of values stand at the paths of JSON objects: "integer sequences.counts.correct". A schema shows of a field whose
// kinds are several only what they join to; here they are told apart.
//
//   kind   object, array, string, integer (a number without fraction and exponent), number (another one), boolean, null
//   path   keys, joined by dots; [] for an array's elements: "questions[].id". Longer paths than path_size_max are not told, nor what
//          lies below more than paths_max
//
// Of duplicate keys each counts. Memory: the paths that it has met. Threads: one at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/bytes.h"
#include "json/reader.h"
#include "json/verdict.h"

namespace tripos::json {

class FieldKinds {
 public:
  static constexpr std::size_t path_size_max = 1000;
  static constexpr std::size_t paths_max = 10'000;

  // Tells each kind of each path once, as "kind path". Of what is no row, nothing: the verdict says why.
  Verdict read(Bytes value, const std::function<void(std::string_view)>& on_kind);

 private:
  static constexpr std::size_t kind_count = 7;
  struct Path {
    std::string text;
    std::uint64_t told_in[kind_count] = {};  // the last value in which the kind was told
    std::string told_as[kind_count] = {};
    std::unordered_map<std::string, Path*> fields = {};
    Path* element = nullptr;
  };

  Path* below(Path* path, std::string_view key);
  Path* element_of(Path* path);
  Path* add(std::string text);
  void tell(Path* path, std::size_t kind, const std::function<void(std::string_view)>& on_kind);

  Reader reader_;
  std::deque<Path> paths_;
  Path root_;
  std::uint64_t values_ = 0;
  Buffer scratch_;  // of an unescaped key
};

}  // namespace tripos::json
