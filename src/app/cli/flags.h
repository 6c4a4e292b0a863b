// Flags: binds the fields of a command to words of the command line. CLI11 stands behind it, in command_line.cc only: it takes ten seconds
// to compile, once instead of in every command.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace tripos::app {

// Of an option just added.
class FlagOption {
 public:
  explicit FlagOption(CLI::Option* option) : option_(option) {}
  const FlagOption& required() const;
  const FlagOption& group(const std::string& name) const;

 private:
  CLI::Option* option_;
};

class Flags {
 public:
  explicit Flags(CLI::App& app) : app_(app) {}

  // `names`: "-n,--rows", or "topic" for a word without a name. `type`: how help names the value. The field's value is the default.
  FlagOption option(const std::string& names, std::string& field, const std::string& text, const std::string& type);
  FlagOption option(const std::string& names, std::int16_t& field, const std::string& text, const std::string& type);
  FlagOption option(const std::string& names, std::int32_t& field, const std::string& text, const std::string& type);
  FlagOption option(const std::string& names, std::uint64_t& field, const std::string& text, const std::string& type);
  FlagOption option(const std::string& names, double& field, const std::string& text, const std::string& type);
  FlagOption option(const std::string& names, std::optional<std::int32_t>& field, const std::string& text, const std::string& type);
  FlagOption option(const std::string& names, std::optional<std::int64_t>& field, const std::string& text, const std::string& type);
  FlagOption option(const std::string& names, std::optional<std::uint64_t>& field, const std::string& text, const std::string& type);
  // May be given several times; without a name: takes the words that are left.
  FlagOption option(const std::string& names, std::vector<std::string>& field, const std::string& text, const std::string& type);
  FlagOption option(const std::string& names, std::vector<std::int32_t>& field, const std::string& text, const std::string& type);
  FlagOption flag(const std::string& names, bool& field, const std::string& text);

  // One of these words.
  FlagOption choice(const std::string& names, std::string& field, const std::string& text, const std::vector<std::string>& words);
  template <typename Value>
  FlagOption choice(const std::string& names, Value& field, const std::string& text,
                    const std::vector<std::pair<std::string, Value>>& words) {
    std::vector<std::string> known;
    for (const auto& [word, value] : words) known.push_back(word);
    const auto set = [&field, words](const std::string& given) {
      for (const auto& [word, value] : words) {
        if (word == given) field = value;
      }
    };
    return choice(names, text, known, set);
  }

  // One of the command's own commands must follow.
  void require_command();

 private:
  FlagOption choice(const std::string& names, const std::string& text, const std::vector<std::string>& words,
                    const std::function<void(const std::string&)>& set);

  CLI::App& app_;
};

}  // namespace tripos::app
