// Golden bytes: messages that Kafka's own Java client serialised (GoldenMessages.java says how the file is written).
#pragma once

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "wire/message_table.h"

namespace tripos::wire {

struct GoldenLine {
  std::string kind;  // "message" or "header"
  std::string name;
  std::int16_t version;
  Buffer bytes;
};

inline Buffer bytes_of_hex(std::string_view hex) {
  CHECK(hex.size() % 2 == 0);
  Buffer bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

// Nothing if there is no such file.
inline std::vector<GoldenLine> read_golden_file(const std::string& path) {
  std::vector<GoldenLine> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::istringstream words(line);
    GoldenLine golden;
    std::string hex;
    words >> golden.kind >> golden.name >> golden.version >> hex;
    golden.bytes = bytes_of_hex(hex);
    lines.push_back(std::move(golden));
  }
  return lines;
}

inline const MessageRow* find_row(std::string_view name) {
  for (const MessageRow& row : message_table()) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

}  // namespace tripos::wire
