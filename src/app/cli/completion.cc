// tripos completion bash|zsh|fish: made from the tree of commands
#include <string>
#include <vector>

#include "app/cli/command.h"

namespace tripos::app {
namespace {

struct Node {
  std::string path;  // "topic create"; empty: tripos itself
  std::string commands;
  std::string flags;
};

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

void collect(const CLI::App& app, const std::string& path, std::vector<Node>& nodes) {
  Node node{.path = path, .commands = {}, .flags = {}};
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) node.flags += (node.flags.empty() ? "--" : " --") + name;
  }
  for (const CLI::App* command : commands_of(app)) node.commands += (node.commands.empty() ? "" : " ") + command->get_name();
  nodes.push_back(node);
  for (const CLI::App* command : commands_of(app))
    collect(*command, path.empty() ? command->get_name() : path + " " + command->get_name(), nodes);
}

// zsh runs the same script through its bashcompinit.
std::string bash_script(const std::vector<Node>& nodes) {
  std::string script =
      "_tripos() {\n"
      "  local word path='' commands='' flags='' i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    word=${COMP_WORDS[i]}\n"
      "    case \"$path $word\" in\n";
  for (const Node& node : nodes) {
    if (!node.path.empty()) script += fmt::format("      ' {}') path=' {}' ;;\n", node.path, node.path);
  }
  script +=
      "    esac\n"
      "  done\n"
      "  case \"$path\" in\n";
  for (const Node& node : nodes) {
    script += fmt::format("    '{}{}') commands='{}' flags='{}' ;;\n", node.path.empty() ? "" : " ", node.path, node.commands, node.flags);
  }
  script += fmt::format(
      "  esac\n"
      "  case \"${{COMP_WORDS[COMP_CWORD]}}\" in\n"
      "    -*) COMPREPLY=($(compgen -W \"$flags {}\" -- \"${{COMP_WORDS[COMP_CWORD]}}\")) ;;\n"
      "    *) COMPREPLY=($(compgen -W \"$commands\" -- \"${{COMP_WORDS[COMP_CWORD]}}\")) ;;\n"
      "  esac\n"
      "}}\n"
      "complete -o default -F _tripos tripos\n",
      nodes.front().flags);
  return script;
}

std::string fish_script(const std::vector<Node>& nodes) {
  std::string script;
  for (const Node& node : nodes) {
    std::string condition =
        node.path.empty() ? "__fish_use_subcommand" : "__fish_seen_subcommand_from " + node.path.substr(node.path.rfind(' ') + 1);
    if (!node.commands.empty()) script += fmt::format("complete -c tripos -n '{}' -f -a '{}'\n", condition, node.commands);
    std::string flags = node.flags;
    for (std::size_t at = 0; at < flags.size();) {
      const std::size_t end = std::min(flags.find(' ', at), flags.size());
      script += fmt::format("complete -c tripos -n '{}' -l '{}'\n", condition, flags.substr(at + 2, end - at - 2));
      at = end + 1;
    }
  }
  return script;
}

struct Completion {
  static constexpr CommandInfo info = {"completion", "A script that completes commands and flags in your shell",
                                       "  source <(tripos completion bash)\n"
                                       "  tripos completion fish > ~/.config/fish/completions/tripos.fish"};
  std::string shell;
  const CLI::App* root = nullptr;

  void flags(CLI::App& app) {
    root = app.get_parent();
    app.add_option("shell", shell, "bash, zsh or fish")->required()->type_name("SHELL")->check(CLI::IsMember({"bash", "zsh", "fish"}));
  }
  Result<> run(Session&) {
    std::vector<Node> nodes;
    collect(*root, "", nodes);
    if (shell == "zsh") fmt::print("autoload -U +X bashcompinit && bashcompinit\n");
    fmt::print("{}", shell == "fish" ? fish_script(nodes) : bash_script(nodes));
    return {};
  }
};

}  // namespace

void add_completion(CLI::App& root, Chosen& chosen) { add_command<Completion>(root, chosen); }

}  // namespace tripos::app
