// RecordFormat: how consume prints a record, by a template as rpk's and kcat's:
//   %t topic  %p partition  %o offset  %T timestamp (ms)  %k key  %v value (also %s)  %h headers  %K %V lengths (also %S)  %% a percent
//   \n \t \r \0 \\ \xHH
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/record_batch.h"

namespace tripos::app {

class RecordFormat {
 public:
  [[nodiscard]] static Result<RecordFormat> parse(std::string_view format);

  [[nodiscard]] Result<> append(std::string_view topic, std::int32_t partition, const Record& record, Buffer& to) const;

 private:
  struct Piece {
    char field = 0;  // 0: the text
    std::string text;
  };
  std::vector<Piece> pieces_;
};

// The characters that \n, \xHH … in a text stand for.
[[nodiscard]] Result<std::string> unescaped(std::string_view text);

}  // namespace tripos::app
