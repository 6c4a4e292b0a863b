"""Holds the tree to its rules: python3 tools/tidy/tidy.py [ROOT]; prints each fault as path:line: what, exits 1 if there is one.

Each rule is a function from a Tree to faults, so that tidy_test.py can plant a fault and see it found. Who may include whom is
read from the table of folders in docs/architecture.md: that table is the only list.
"""

import os
import re
import sys
from dataclasses import dataclass, field

LINE_LENGTH_MAX = 140
FILE_LINES_MAX = 600
ASIO_UNITS_MAX = 6
BEAST_UNITS_MAX = 2
CODE = (".cc", ".h")
SKIPPED = {".git", "build", "__pycache__", "node_modules", "target"}
BANNED = ["sprintf", "vsprintf", "strcpy", "strcat", "strtok", "gets", "rand", "srand", "system", "atoi", "atol", "atof", "alloca",
          "tmpnam"]
# Folders that may call the operating system themselves; all others go through io's interfaces, so that the simulation can replace it.
SYSTEM_FOLDERS = {"base", "io", "client", "load", "query", "query/protocol", "worker", "app"}
SYSTEM_HEADER = re.compile(r"#include <((?:sys|netinet|arpa)/\w+\.h|(?:unistd|fcntl|poll|netdb|dirent|pthread)\.h|filesystem|fstream)>")
# Spelled in two parts, so that this file does not find itself.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
MACHINE_PATH = re.compile(r"(?<![\w.])/(wo" r"rk|fa" r"rm|old_" r"root|home/\w+)/\w")


@dataclass
class Tree:
    files: dict  # path relative to the root -> text

    @staticmethod
    def read(root):
        files = {}
        for folder, folders, names in os.walk(root):
            folders[:] = sorted(name for name in folders if name not in SKIPPED)
            for name in sorted(name for name in names if name not in SKIPPED):
                path = os.path.join(folder, name)
                try:
                    with open(path, encoding="utf-8") as file:
                        files[os.path.relpath(path, root)] = file.read()
                except (UnicodeDecodeError, OSError):
                    pass  # not text
        return Tree(files)

    def code(self, *tops):
        for path, text in self.files.items():
            if path.endswith(CODE) and path.split("/")[0] in (tops or ("src", "tests", "fuzz", "bench", "tools")):
                yield path, text


@dataclass(order=True)
class Fault:
    path: str
    line: int
    what: str = field(compare=False)

    def __str__(self):
        return f"{self.path}:{self.line}: {self.what}"


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def without_comments_and_strings(text):
    """The code alone: what stood in comments, strings and characters becomes spaces; lines stay where they are."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'', re.S)
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def folder_table(tree):
    """folder -> the folders that it may know; None: all."""
    page = tree.files.get("docs/architecture.md", "")
    marked = re.search(r"<!-- tidy: folders -->(.*?)<!-- tidy: end -->", page, re.S)
    table = {}
    for row in (marked.group(1) if marked else "").splitlines():
        cells = [cell.strip() for cell in row.split("|")[1:-1]]
        if len(cells) >= 2 and cells[0] not in ("folder", "") and not cells[0].startswith("---"):
            table[cells[0]] = None if cells[1] == "*" else set(cells[1].split())
    return table


def folder_of(path, table):
    """The table's folder that a path below src/ belongs to: the longest that fits."""
    fitting = [name for name in table if path.startswith(name + "/")]
    return max(fitting, key=len) if fitting else None


def includes(tree):
    table = folder_table(tree)
    if not table:
        yield Fault("docs/architecture.md", 1, "has no table of folders (<!-- tidy: folders -->)")
        return
    for path, text in tree.code("src"):
        folder = folder_of(path[len("src/"):], table)
        if folder is None:
            yield Fault(path, 1, "its folder is not in the table of docs/architecture.md")
            continue
        if path.endswith("_test.cc") or table[folder] is None:
            continue  # a test may bring in whom it needs
        for match in re.finditer(r'^#include "([^"]+/[^"]+)"', text, re.M):
            known = folder_of(match.group(1), table)
            if known is None or (known != folder and known not in table[folder]):
                yield Fault(path, line_of(text, match.start()), f"{folder} may not know {known or match.group(1)} (docs/architecture.md)")


def linked_folders(tree):
    table = folder_table(tree)
    for path, text in tree.files.items():
        if not re.fullmatch(r"src/.*CMakeLists\.txt", path):
            continue
        for match in re.finditer(r"tripos_folder\((\S+)([^)]*)\)", text):
            folder, rest = match.group(1), match.group(2)
            row = folder if folder in table else folder_of(folder + "/", table)
            known = re.search(r"\bKNOWS\b((?:\s+[a-z_/]+)+)", rest)
            for name in known.group(1).split() if known else []:
                owner = name if name in table else folder_of(name + "/", table)
                if row in table and table[row] is not None and owner != row and owner not in table[row]:
                    yield Fault(path, line_of(text, match.start()), f"{folder} is linked to {name}, which it may not know")


def line_lengths(tree):
    for path, text in tree.files.items():
        if not path.endswith(CODE + (".py", ".sh", ".cmake", ".kafka")) and os.path.basename(path) not in ("CMakeLists.txt", "run"):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if len(line) > LINE_LENGTH_MAX:
                yield Fault(path, number, f"{len(line)} characters; {LINE_LENGTH_MAX} are the most")
            if line != line.rstrip():
                yield Fault(path, number, "white space at its end")


def file_lengths(tree):
    for path, text in tree.code():
        if text.count("\n") > FILE_LINES_MAX:
            yield Fault(path, FILE_LINES_MAX + 1, f"{text.count(chr(10))} lines; {FILE_LINES_MAX} are the most: it has more than one job")


def banned_calls(tree):
    pattern = re.compile(r"(?<![\w.>])(?:std::|::)?\b(" + "|".join(BANNED) + r")\s*\(")
    for path, text in tree.code():
        code = without_comments_and_strings(text)
        for match in pattern.finditer(code):
            yield Fault(path, line_of(code, match.start()), f"{match.group(1)}() is banned")
        for match in re.finditer(r"#include <regex>|\bstd::regex\b", code):
            yield Fault(path, line_of(code, match.start()), "no regular expressions: statements and data are parsed")


def system_calls(tree):
    table = folder_table(tree)
    for path, text in tree.code("src"):
        folder = folder_of(path[len("src/"):], table)
        if path.endswith("_test.cc") or "/testing/" in path or folder in SYSTEM_FOLDERS:
            continue
        for match in SYSTEM_HEADER.finditer(text):
            yield Fault(path, line_of(text, match.start()), f"<{match.group(1)}>: {folder} reaches the operating system through io only")


def heavy_libraries(tree):
    for name, most in (("asio", ASIO_UNITS_MAX), ("beast", BEAST_UNITS_MAX)):
        units = []
        for path, text in tree.code():
            found = re.search(rf"#include <boost/{name}[/.]", text)
            if not found:
                continue
            if path.endswith(".h"):
                yield Fault(path, line_of(text, found.start()), f"Boost.{name} in a header: every unit that includes it is slow to compile")
            units.append((path, line_of(text, found.start())))
        for path, line in units[most:]:
            yield Fault(path, line, f"more than {most} units include Boost.{name}")


def await_expressions(tree):
    """g++ 12.2 destroys a capturing lambda or an aggregate temporary within a co_await expression twice."""
    for path, text in tree.code():
        code = without_comments_and_strings(text)
        for match in re.finditer(r"\bco_await\b", code):
            expression = code[match.end():code.find(";", match.end())]
            if "{" in expression or re.search(r"(?:^|[(,=\s])\[[^\]]*\]\s*[({]", expression):
                yield Fault(path, line_of(code, match.start()), "a brace or lambda within co_await: name the value first (g++ 12.2)")


def unfinished(tree):
    for path, text in tree.files.items():
        if path.split("/")[0] in ("src", "tests", "tools", "fuzz", "bench", "schema", "cmake") or path == "run":
            for match in UNFINISHED.finditer(text):
                yield Fault(path, line_of(text, match.start()), f"{match.group()}: finish it, or write it down as an issue")


def machine_paths(tree):
    for path, text in tree.files.items():
        for match in MACHINE_PATH.finditer(text):
            yield Fault(path, line_of(text, match.start()), "a path of somebody's machine")


def headers(tree):
    for path, text in tree.code():
        if path.endswith(".h"):
            if not text.startswith("//"):
                yield Fault(path, 1, "a header begins with what it is")
            if "#pragma once" not in text:
                yield Fault(path, 1, "#pragma once is missing")


def registered_tests(tree):
    """A test that nothing runs is no test."""
    lists = {os.path.dirname(path): text for path, text in tree.files.items() if os.path.basename(path) == "CMakeLists.txt"}
    for path in tree.files:
        if not re.search(r"_test\.(cc|py|sh)$", path):
            continue
        folder = os.path.dirname(path)
        owner = folder
        while owner and owner not in lists:
            owner = os.path.dirname(owner)
        text = lists.get(owner, "")
        if path.startswith("src/") and path.endswith(".cc"):
            if "tripos_folder(" not in text:
                yield Fault(path, 1, "no tripos_folder() collects this test")
        elif os.path.basename(path) not in text and not any(os.path.basename(path) in other for other in lists.values()):
            yield Fault(path, 1, "no CMakeLists.txt registers this test")


NAMELESS = re.compile(r"^namespace \{\n(.*?)^\}  // namespace\n", re.DOTALL | re.MULTILINE)
FREE_FUNCTION = re.compile(
    r"^(?!using|return|static_assert|template|struct|class|enum|[A-Z_]+\()(?=\w)[\w:<>,&*\[\] ]+?[ &*>](\w+)\(", re.MULTILINE)


def nameless_functions(tree):
    """Unity builds join the files of a folder: a function of one file's nameless namespace would be an overload for the other's calls."""
    owners = {}
    for path, text in tree.code("src"):
        if not path.endswith(".cc") or path.endswith("_test.cc"):
            continue
        for block in NAMELESS.finditer(text):
            for function in FREE_FUNCTION.finditer(block[1]):
                name = function[1]
                owner = owners.setdefault((os.path.dirname(path), name), path)
                if owner != path and name != "to_string":  # of enumerations, to which nothing converts
                    yield Fault(path, line_of(text, block.start(1) + function.start(1)),
                                f"{name}() is also in {owner}: in a unity build one of them takes the other's calls without a word")


RULES = [includes, linked_folders, line_lengths, file_lengths, banned_calls, system_calls, heavy_libraries, await_expressions, unfinished,
         machine_paths, headers, registered_tests, nameless_functions]


def faults(tree):
    return sorted(fault for rule in RULES for fault in rule(tree))


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    found = faults(Tree.read(root))
    for fault in found:
        print(fault)
    print(f"{len(found)} faults")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
