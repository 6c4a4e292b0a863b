// tripos completion bash|zsh|fish: made from the tree of commands
#include <string>
#include <vector>

#include "app/cli/command.h"

namespace tripos::app {
namespace {

std::string joined(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, " ")); }

// zsh runs the same script through its bashcompinit.
std::string bash_script(const std::vector<CommandWords>& nodes) {
  std::string script =
      "_tripos() {\n"
      "  local word path='' commands='' flags='' i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    word=${COMP_WORDS[i]}\n"
      "    case \"$path $word\" in\n";
  for (const CommandWords& node : nodes) {
    if (!node.path.empty()) script += fmt::format("      ' {}') path=' {}' ;;\n", node.path, node.path);
  }
  script +=
      "    esac\n"
      "  done\n"
      "  case \"$path\" in\n";
  for (const CommandWords& node : nodes) {
    script += fmt::format("    '{}{}') commands='{}' flags='{}' ;;\n", node.path.empty() ? "" : " ", node.path, joined(node.commands),
                          joined(node.flags));
  }
  script += fmt::format(
      "  esac\n"
      "  case \"${{COMP_WORDS[COMP_CWORD]}}\" in\n"
      "    -*) COMPREPLY=($(compgen -W \"$flags {}\" -- \"${{COMP_WORDS[COMP_CWORD]}}\")) ;;\n"
      "    *) COMPREPLY=($(compgen -W \"$commands\" -- \"${{COMP_WORDS[COMP_CWORD]}}\")) ;;\n"
      "  esac\n"
      "}}\n"
      "complete -o default -F _tripos tripos\n",
      joined(nodes.front().flags));
  return script;
}

std::string fish_script(const std::vector<CommandWords>& nodes) {
  std::string script;
  for (const CommandWords& node : nodes) {
    std::string condition =
        node.path.empty() ? "__fish_use_subcommand" : "__fish_seen_subcommand_from " + node.path.substr(node.path.rfind(' ') + 1);
    if (!node.commands.empty()) script += fmt::format("complete -c tripos -n '{}' -f -a '{}'\n", condition, joined(node.commands));
    for (const std::string& flag : node.flags) script += fmt::format("complete -c tripos -n '{}' -l '{}'\n", condition, flag.substr(2));
  }
  return script;
}

struct Completion {
  static constexpr CommandInfo info = {"completion", "A script that completes commands and flags in your shell",
                                       "  source <(tripos completion bash)\n"
                                       "  tripos completion fish > ~/.config/fish/completions/tripos.fish"};
  std::string shell;

  void flags(Flags& flags) { flags.choice("shell", shell, "bash, zsh or fish", {"bash", "zsh", "fish"}).required(); }
  Result<> run(Session& session) {
    const std::vector<CommandWords> nodes = session.all_words();
    if (shell == "zsh") fmt::print("autoload -U +X bashcompinit && bashcompinit\n");
    fmt::print("{}", shell == "fish" ? fish_script(nodes) : bash_script(nodes));
    return {};
  }
};

}  // namespace

void add_completion(const Commands& root) { root.add<Completion>(); }

}  // namespace tripos::app
