#!/usr/bin/env python3
"""The schema's parser says what is wrong and where; check_schema.py notices every kind of difference from Kafka's definitions.

    tests/wire/codegen_test.py <folder of jars, perhaps empty>
"""

import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tools", "wire_codegen"))
from schema import Parser, SchemaError, Versions, element_bytes_min  # noqa: E402

JARS = sys.argv.pop(1) if len(sys.argv) > 1 else ""


def parse(*lines, head="data Test, versions 0-5, flexible 4+ {"):
    return Parser("test.kafka", "\n".join([head, *lines, "}"])).parse()[0]


class Notation(unittest.TestCase):
    def test_a_field(self):
        message = parse("names: [string]? = null  2+ null 3+  # why", "rack: string  4+ tag 0")
        names, rack = message.body.fields
        self.assertEqual((names.type, names.array, names.nullable, names.default), ("string", True, True, "null"))
        self.assertEqual((names.versions, names.null_versions), (Versions(2, 5), Versions(3, 5)))
        self.assertEqual(names.comment, ["why"])
        self.assertEqual((rack.tag, rack.versions), (0, Versions(4, 5)))

    def test_a_nested_field_has_the_versions_of_its_struct(self):
        message = parse("topics: [Topic]  2-4 {", "id: int32", "name: string  3+", "}")
        self.assertEqual([field.versions for field in message.structs[0].fields], [Versions(2, 4), Versions(3, 4)])

    def test_the_least_size_of_an_element(self):
        message = parse("topics: [Topic] {", "id: int32  1+", "name: string", "partitions: [int32]", "}")
        self.assertEqual(element_bytes_min(message, message.body.fields[0]), 6)  # version 0: int16 length, int32 count
        flexible = parse("topics: [Topic] {", "name: string", "tagged: int32  tag 0", "}", head="data Test, versions 4-5, flexible 4+ {")
        self.assertEqual(element_bytes_min(flexible, flexible.body.fields[0]), 2)  # length, count of tagged fields

    def test_mistakes_are_named_with_their_line(self):
        mistakes = {
            "name string": "expected `name: type",
            "name: strin": "unknown type strin",
            "name: [string": "expected `name: type",
            "name: int32?": "int32 can't be that",
            "name: string = null": "name is not nullable",
            "name: string  7+": "name is in no version of Test",
            "name: string  null 2+": "`null 2+` without `?`",
            "name: string  2+ tag 0": "tagged in version 2, which is not flexible",
        }
        for line, reason in mistakes.items():
            with self.assertRaises(SchemaError, msg=line) as raised:
                parse("first: int32", line)
            self.assertIn(reason, str(raised.exception))
            self.assertTrue(str(raised.exception).startswith("test.kafka:3: "), str(raised.exception))

    def test_names_and_tags(self):
        for lines in (["a: int32", "a: int32"], ["a: int32  4+ tag 1", "b: int32  4+ tag 0"], ["a: [T] {", "}", "b: [T] {", "}"],
                      ["a: int32", "b: [T] {", "c: int32"]):
            with self.assertRaises(SchemaError):
                parse(*lines)


@unittest.skipUnless(JARS and os.path.isdir(JARS) and os.listdir(JARS), "Kafka's jars are not there")
class Check(unittest.TestCase):
    """Each change of a right schema is found."""

    CHANGES = [
        ("create_topics", "= 19", "= 20", "key"),
        ("create_topics", "versions 2-7", "versions 2-8", "versions"),
        ("create_topics", "flexible 5+", "flexible 4+", "flexible from"),
        ("create_topics", "timeout_ms: int32 = 60000", "timeout_ms: int32 = 6000", "default"),
        ("create_topics", "timeout_ms: int32 = 60000", "timeout_ms: int64 = 60000", "type"),
        ("create_topics", "  validate_only: bool\n", "", "fields"),
        ("create_topics", "replication_factor: int16 = -1     5+", "replication_factor: int16 = -1     6+", "versions"),
        ("create_topics", "topic_config_error_code: error     5+ tag 0", "topic_config_error_code: error     5+", "tag"),
        ("create_topics", "[CreatableTopicConfigs]?", "[CreatableTopicConfigs]", "null versions"),
        ("create_topics", "error_message: string? = null", "error_message: string?", "default"),
        ("metadata", "null 10+", "null 11+", "null versions"),
        ("fetch", "13+\n    partitions: [FetchPartition]", "13+\n    partitions: [int32]\n    more: [FetchPartition]", "fields"),
        ("fetch", "9223372036854775807  18+ tag 1", "9223372036854775807  17+ tag 1", "versions"),
        ("group_records", "expire_timestamp: int64 = -1  1", "expire_timestamp: int64 = -1  1+", "versions"),
    ]

    def check(self, *files):
        command = [sys.executable, os.path.join(HERE, "check_schema.py"), JARS, *files]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def test_every_change_is_noticed(self):
        for name, right, wrong, what in self.CHANGES:
            with open(os.path.join(ROOT, "schema", name + ".kafka"), encoding="utf-8") as file:
                text = file.read()
            self.assertIn(right, text)
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, name + ".kafka")
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text.replace(right, wrong, 1))
                result = self.check(path)
            self.assertEqual(result.returncode, 1, f"{right} -> {wrong}")
            self.assertIn(f": {what}:", result.stderr, f"{right} -> {wrong}")


if __name__ == "__main__":
    unittest.main()
