#!/usr/bin/env python3
"""Each rule of tools/tidy finds the fault that is planted for it, and leaves the like of it that is right alone."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "tools", "tidy"))
import tidy  # noqa: E402

TABLE = """<!-- tidy: folders -->
| folder | knows | what it is |
|---|---|---|
| base | | |
| wire | base | |
| log | base | |
| broker | log wire base | |
| app | * | |
<!-- tidy: end -->
"""
SPRINT = "s" "printf"


def found(rule, files):
    return [str(fault) for fault in rule(tidy.Tree({"docs/architecture.md": TABLE, **files}))]


class Tidy(unittest.TestCase):
    def check(self, rule, good, bad, path="src/log/a.cc"):
        for text in good:
            self.assertEqual(found(rule, {path: text}), [], text)
        for text in bad:
            self.assertNotEqual(found(rule, {path: text}), [], text)

    def test_includes(self):
        self.check(tidy.includes, ['#include "base/error.h"\n', '#include "log/b.h"\n', "#include <vector>\n"],
                   ['#include "wire/framing.h"\n', '#include "broker/broker.h"\n', '#include "unknown/x.h"\n'])
        self.check(tidy.includes, ['#include "log/x.h"\n#include "wire/x.h"\n'], ['#include "app/x.h"\n'], "src/broker/api/fetch.cc")
        self.check(tidy.includes, ['#include "broker/x.h"\n'], [], "src/app/cli/x.cc")
        self.check(tidy.includes, [], ["\n"], "src/nowhere/x.cc")
        self.assertNotEqual([str(f) for f in tidy.includes(tidy.Tree({"src/log/a.cc": ""}))], [])

    def test_linked_folders(self):
        self.check(tidy.linked_folders, ["tripos_folder(log KNOWS base USES Threads::Threads)\n"], ["tripos_folder(log KNOWS base wire)\n"],
                   "src/log/CMakeLists.txt")

    def test_line_lengths(self):
        self.check(tidy.line_lengths, ["x" * 140 + "\n", "ü" * 140 + "\n"], ["x" * 141 + "\n", "x \n"])

    def test_file_lengths(self):
        self.check(tidy.file_lengths, ["\n" * 600], ["\n" * 601])

    def test_banned_calls(self):
        self.check(tidy.banned_calls,
                   [f"// {SPRINT}(x)\n", f'auto s = "{SPRINT}(";\n', "operand(x); file.system(); brand (y);\n", "R\"(system(x))\";\n"],
                   [f"{SPRINT}(x, y);\n", "std::" "system(\"ls\");\n", "int a = rand();\n", "#include <regex>\n", "std::regex r;\n"])

    def test_system_calls(self):
        self.check(tidy.system_calls, ["#include <vector>\n"], ["#include <unistd.h>\n", "#include <sys/stat.h>\n", "#include <fstream>\n"])
        self.check(tidy.system_calls, ["#include <unistd.h>\n"], [], "src/app/x.cc")

    def test_heavy_libraries(self):
        unit = "#include <boost/asio/io_context.hpp>\n"
        self.assertEqual(found(tidy.heavy_libraries, {f"src/log/{i}.cc": unit for i in range(6)}), [])
        self.assertNotEqual(found(tidy.heavy_libraries, {f"src/log/{i}.cc": unit for i in range(7)}), [])
        self.assertNotEqual(found(tidy.heavy_libraries, {f"src/log/{i}.cc": "#include <boost/beast.hpp>\n" for i in range(3)}), [])
        self.assertNotEqual(found(tidy.heavy_libraries, {"src/log/a.h": unit}), [])

    def test_await_expressions(self):
        self.check(tidy.await_expressions, ["co_await send(reply);\n", "co_await wait(values[3]);\n", "// co_await send({});\n"],
                   ["co_await send(Reply{1});\n", "co_await run([&] { go(); });\n", "co_await run([](int x) {\n return x; });\n"])

    def test_unfinished(self):
        self.check(tidy.unfinished, ["// done\n"], ["// TO" "DO later\n", "// FIX" "ME\n"])

    def test_machine_paths(self):
        self.check(tidy.machine_paths, ["/var/lib/tripos\n", "src/framework/x\n"], ["see /wo" "rk/x\n", "'/home/" "somebody/file'\n"])

    def test_headers(self):
        self.check(tidy.headers, ["// What.\n#pragma once\n"], ["#pragma once\n", "// What.\n"], "src/log/a.h")

    def test_registered_tests(self):
        good = {"src/log/a_test.cc": "", "src/log/CMakeLists.txt": "tripos_folder(log)", "tests/x/b_test.py": "",
                "tests/x/CMakeLists.txt": "add_test(NAME b COMMAND b_test.py)"}
        self.assertEqual(found(tidy.registered_tests, good), [])
        self.assertNotEqual(found(tidy.registered_tests, {"src/log/a_test.cc": ""}), [])
        self.assertNotEqual(found(tidy.registered_tests, {"tests/x/b_test.py": "", "tests/x/CMakeLists.txt": ""}), [])


    def test_nameless_functions(self):
        def files(one, other, folder="log"):
            nameless = "namespace {{\n{}\n}}  // namespace\n"
            return {"src/log/a.cc": nameless.format(one), f"src/{folder}/b.cc": nameless.format(other)}
        one = "bool passes(const Filter& filter, std::string_view value) {\n  return find(filter, value);\n}\n"
        for other in ("template <typename T>\nbool passes(const T& filter) {\n}\n", "static Result<int> passes(int a,\n  int b) {\n}\n"):
            self.assertNotEqual(found(tidy.nameless_functions, files(one, other)), [], other)
            self.assertEqual(found(tidy.nameless_functions, files(one, other, "base")), [])
        self.assertEqual(found(tidy.nameless_functions, files(one, "bool fits(int a) {\n  return passes(a);\n}\n")), [])


class ThisTree(unittest.TestCase):
    def test_has_no_fault(self):
        root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
        faults = tidy.faults(tidy.Tree.read(root))
        self.assertEqual([], [str(fault) for fault in faults], "\n".join(str(fault) for fault in faults))


if __name__ == "__main__":
    unittest.main()
