#!/usr/bin/env python3
"""Each odd message has its documented outcome (docs/guide/json.md), live and out of Parquet, and the rest of the data goes on."""

import json
import unittest

import model
from tripos import TriposTest

GOOD = '{"id":1,"name":"good"}'


def nested(levels, inner="1"):
    return '{"a":' * levels + inner + "}" * levels


class OddMessages(TriposTest):
    def setUp(self):
        super().setUp()
        self.server = self.serve("--set", "message.max.bytes=104857600")
        self.count = 0

    def topic(self, *messages):
        """A topic of these messages (text or bytes without newlines)."""
        self.count += 1
        name = f"t{self.count}"
        lines = [message if isinstance(message, bytes) else message.encode() for message in messages]
        self.server.run("produce", name, "--delimiter", "\\0", stdin=b"\0".join(lines) + b"\0")
        return name

    def both(self, topic):
        """Once with the rows in the log, once with them in Parquet."""
        yield "live"
        self.server.run("batch", "run", topic)
        yield "in Parquet"

    def check(self, columns, rows, *messages):
        topic = self.topic(*messages)
        for where in self.both(topic):
            with self.subTest(where=where, messages=str(messages)[:200]):
                answer = self.server.sql(f"SELECT * FROM {topic}")
                self.assertEqual([f"{column['name']} {column['type']}" for column in answer["columns"]], columns)
                self.assertTrue(model.same(answer["rows"], rows), f"{answer['rows']!r}\nexpected {rows!r}")
        return topic

    def rejected(self, message, reason, byte):
        topic = self.topic(GOOD, message, GOOD)
        for where in self.both(topic):
            with self.subTest(where=where, message=message[:60]):
                self.assertEqual(self.server.rows(f"SELECT id, name FROM {topic}"), [[1, "good"]] * 2)
                self.assertEqual(
                    self.server.rows(f"SELECT partition, offset, reason FROM {topic}_rejected"), [[0, 1, f"{reason} at byte {byte}"]]
                )

    def test_what_is_not_a_row_is_rejected_with_its_byte(self):
        for message, reason, byte in [
            ("hello", "unexpected character", 0), ("nothing", "neither true, false nor null", 0),
            ("{", "ends early", 1),
            ('{"id":1,}', "unexpected character", 8),
            ('{"id":1 "b":2}', "unexpected character", 8),
            ("{'id':1}", "unexpected character", 1),
            ('{"id":01}', "bad number", 6),
            ('{"id":+1}', "unexpected character", 6),
            ('{"id":.5}', "unexpected character", 6),
            ('{"id":1.}', "bad number", 6),
            ('{"id":NaN}', "unexpected character", 6),
            ('{"id":tru}', "neither true, false nor null", 6),
            ('{"id":1}{"id":2}', "bytes after the value", 8),
            ('{"id":1}\n{"id":2}', "bytes after the value", 9),
            ("[1,2]", "top level is an array", 0),
            ('"text"', "top level is not an object", 0),
            ("17", "top level is not an object", 0),
            ("null", "top level is not an object", 0),
            ("", "empty value", 0),
            ("  ", "empty value", 0),
            ('{"a":"\\x"}', "bad escape in a string", 6),
            ('{"a":"\\u12g4"}', "bad escape in a string", 6),
            ('{"a":"open}', "unclosed string", 5),
            ('{"a":"tab\there"}', "unescaped control character in a string", 9),
            ("\ufeff{}", "byte order mark", 0),
            (b'{"a":"\xff"}', "not UTF-8", 6),
            (b'{"a":"\xed\xa0\x80"}', "not UTF-8", 6),
            (b'{"\xc0\x80":1}', "not UTF-8", 2),
            (b'{"a":"\xf4\x90\x80\x80"}', "not UTF-8", 6),
        ]:
            self.rejected(message, reason, byte)

    def test_levels(self):
        topic = self.topic(nested(100), GOOD)
        for where in self.both(topic):
            with self.subTest(where=where):
                path = ".".join("a" * 100)
                self.assertEqual(self.server.rows(f"SELECT {path}, id FROM {topic}"), [[1, None], [None, 1]])
        # A column has at most 100 levels below the row; what lies deeper is its text.
        for levels in (150, 999):
            topic = self.topic(nested(levels), GOOD)
            for where in self.both(topic):
                with self.subTest(levels=levels, where=where):
                    path = ".".join("a" * 101)
                    self.assertEqual(self.server.rows(f"SELECT {path}, id FROM {topic}"), [[nested(levels - 101), None], [None, 1]])
        self.check(
            ["a " + "array<" * 10 + "string" + ">" * 10],
            [[json.loads("[" * 10 + '"' + "[" * 110 + "7" + "]" * 110 + '"' + "]" * 10)]],
            '{"a":' + "[" * 120 + "7" + "]" * 120 + "}",
        )
        self.rejected(nested(1001), "nested too deep", 5000)
        self.rejected(nested(10_000), "nested too deep", 5000)

    def test_a_large_message(self):
        text = "0123456789" * 6_000_000
        topic = self.topic(GOOD, json.dumps({"id": 2, "text": text, "list": list(range(100_000))}), GOOD)
        for where in self.both(topic):
            with self.subTest(where=where):
                self.assertEqual(
                    self.server.rows(f"SELECT sum(id), max(length(text)), max(size(list)), max(list[99999]) FROM {topic}"),
                    [[4, len(text), 100_000, 99_999]],
                )
                self.assertEqual(self.server.rows(f"SELECT text FROM {topic} WHERE id = 2"), [[text]])

    def test_strings(self):
        escapes = r'{"a":"\"\\\/\b\f\n\r\t\u0000\u001F\u00e9\uD83D\uDE00"}'
        self.check(
            ["a string"], [["\"\\/\b\f\n\r\t\0\x1f\u00e9\U0001f600"], ["\U0001f600\u00e9\x7f"]], escapes, '{"a":"\U0001f600\u00e9\x7f"}'
        )
        # A lone surrogate is no character: U+FFFD stands for it.
        self.check(
            ["a string"],
            [["\ufffd"], ["x\ufffdy"], ["\ufffd\n"], ["\ufffdA"]],
            r'{"a":"\ud800"}',
            r'{"a":"x\udc00y"}',
            r'{"a":"\ud83d\n"}',
            r'{"a":"\ud83d\u0041"}',
        )
        self.check(["a string"], [[""], [" "]], '{"a":""}', '{"a":" "}')

    def test_numbers(self):
        self.check(
            ["n decimal(20,0)"],
            [["18446744073709551616"], ["1"], ["-9223372036854775809"]],
            '{"n":18446744073709551616}',
            '{"n":1}',
            '{"n":-9223372036854775809}',
        )
        self.check(
            ["n decimal(38,0)"], [["9" * 38], ["-" + "9" * 38], ["0"]], '{"n":' + "9" * 38 + "}", '{"n":-' + "9" * 38 + "}", '{"n":-0}'
        )
        self.check(["n double"], [[1e39], [1.0], [-1e39]], '{"n":1' + "0" * 39 + "}", '{"n":1}', '{"n":-1' + "0" * 39 + "}")
        self.check(
            ["n double"],
            [["Infinity"], ["-Infinity"], [0.0], [5e-324], [1.7976931348623157e308]],
            '{"n":1e400}',
            '{"n":-1e400}',
            '{"n":1e-400}',
            '{"n":5e-324}',
            '{"n":1.7976931348623157e308}',
        )
        self.check(
            ["n bigint"],
            [[0], [9223372036854775807], [-9223372036854775808]],
            '{"n":-0}',
            '{"n":9223372036854775807}',
            '{"n":-9223372036854775808}',
        )
        self.check(["n double"], [[0.0], [0.0], [1.1], [200.0]], '{"n":-0}', '{"n":-0.0}', '{"n":1.10}', '{"n":2e2}')
        # Where the column is text, a number is the shortest text of its double, however it was written.
        self.check(
            ["n string"],
            [["x"], ["1.1"], ["0"], ["1e999"], ["100"], ["9007199254740992"]],
            '{"n":"x"}',
            '{"n":1.10}',
            '{"n":-0.0}',
            '{"n":1e400}',
            '{"n":1e2}',
            '{"n":9007199254740993}',
        )

    def test_duplicate_keys(self):
        self.check(
            ["a string", "o struct<x:bigint,y:bigint>"],
            [["last", {"x": 2, "y": None}], [None, {"x": None, "y": 3}]],
            '{"a":1,"o":{"x":1},"o":{"x":2},"a":"last"}',
            r'{"a":"first","o":{"y":3},"\u0061":null}',
        )

    def test_odd_keys(self):
        topic = self.check(
            [
                "A bigint",
                "a_2 bigint",
                "a.b bigint",
                "a_1 bigint",
                'q"t struct<`b``c`:bigint,from:bigint>',
                "select bigint",
                "é bigint",
                "\ufffd bigint",
            ],
            [[1, 2, 3, 4, {"b`c": 5, "from": 6}, 7, 8, 9]],
            r'{"A":1,"a":2,"a.b":3,"a_1":4,"q\"t":{"b`c":5,"from":6},"select":7,"\u00e9":8,"\u0000":9}',
        )
        self.assertEqual(
            self.server.rows(f'SELECT `a.b`, `q"t`.`b``c`, `q"t`.from, `select`, `a_2`, `é`, `\ufffd` FROM {topic}'),
            [[3, 5, 6, 7, 2, 8, 9]],
        )
        # Keys that only a lone surrogate or a NUL tells apart are one.
        self.check(["k\ufffd bigint"], [[2]], r'{"k\u0000":1,"k\udfff":2}')
        self.check(["a bigint"], [[1]], '{"":5,"a":1}')  # an empty key is no column
        self.check(
            ["__tripos_lost_1 bigint", "__tripos_offset_1 bigint", "id bigint"],
            [[8, 7, 9]],
            '{"__tripos_offset":7,"__tripos_lost":8,"id":9}',
        )
        self.check(
            ["k" * 1024 + " bigint", "o string"],
            [[1, '{"' + "K" * 1025 + '":3}']],
            json.dumps({"k" * 1024: 1, "k" * 1025: 2, "o": {"K" * 1025: 3}}),
        )

    def test_many_keys(self):
        names = sorted(f"key_{i}" for i in range(2000))
        rows = [{name: i for i, name in enumerate(names)}, {names[1999]: -1}]
        self.check([f"{name} bigint" for name in names], [list(range(2000)), [None] * 1999 + [-1]], *map(json.dumps, rows))
        self.check(
            ["o struct<" + ",".join(f"{name}:bigint" for name in names) + ">"],
            [[{name: i for i, name in enumerate(names)}]],
            json.dumps({"o": rows[0]}),
        )

    def test_ever_new_keys(self):
        """Data that is used as keys: the object becomes text, and everything goes on."""
        messages = [json.dumps({"id": i, "by_person": {f"person {i:05}": {"score": i}}}) for i in range(6000)]
        topic = self.topic(*messages)
        for where in self.both(topic):
            with self.subTest(where=where):
                answer = self.server.sql(f"SELECT * FROM {topic} WHERE id IN (0, 5999)")
                self.assertEqual([column["type"] for column in answer["columns"]], ["string", "bigint"])
                self.assertEqual(answer["rows"], [['{"person 00000":{"score":0}}', 0], ['{"person 05999":{"score":5999}}', 5999]])
                self.assertEqual(
                    self.server.rows(f"SELECT sum(CAST(get_json_object(by_person, '$.person 00007.score') AS INT)) FROM {topic}"), [[7]]
                )
        # At the top level the first ones are columns.
        self.server.run("topic", "create", "wide", "--config", "tripos.table.fields.max=50")
        self.server.run("produce", "wide", stdin="\n".join(json.dumps({"id": i, f"key {i:05}": i}) for i in range(3000)).encode())
        for where in self.both("wide"):
            with self.subTest(where=where):
                answer = self.server.sql("SELECT * FROM wide")
                self.assertEqual([column["name"] for column in answer["columns"]], ["id"] + [f"key {i:05}" for i in range(49)])
                self.assertEqual((len(answer["rows"]), answer["rows"][48][49], answer["rows"][49][49]), (3000, 48, None))

    def test_arrays_and_objects(self):
        self.check(
            ["a array<string>"],
            [[["1", "x", '{"b":[true]}', None, "[]", "1.5"]], [[]], [None]],
            '{"a":[1,"x",{"b":[true]},null,[],1.50]}',
            '{"a":[]}',
            '{"a":null}',
        )
        self.check(
            ["a array<double>", "b array<array<bigint>>"], [[[1.0, 2.5, None], [[], None, [1]]]], '{"a":[1,2.5,null],"b":[[],null,[1]]}'
        )
        # Nothing is known of what only ever was empty: no column, but it is not forgotten.
        topic = self.topic('{"id":1,"o":{},"l":[]}')
        self.server.run("batch", "run", topic)
        self.assertEqual(
            self.server.sql(f"SELECT * FROM {topic}")["columns"], [{"name": "id", "type": "bigint"}, {"name": "l", "type": "array<string>"}]
        )
        self.server.run("produce", topic, stdin=b'{"id":2,"o":{"x":1},"l":[{"y":2}]}')
        self.assertEqual(self.server.rows(f"SELECT * FROM {topic}"), [[1, [], {"x": None}], [2, [{"y": 2}], {"x": 1}]])
        self.server.run("produce", topic, stdin=b'{"id":3,"o":7,"l":"s"}')
        self.assertEqual(self.server.rows(f"SELECT * FROM {topic}"), [[1, "[]", "{}"], [2, '[{"y":2}]', '{"x":1}'], [3, "s", "7"]])

    def test_a_table_without_a_column_says_so(self):
        topic = self.topic("{}", '{"":1}')
        refused = self.server.run("sql", f"SELECT * FROM {topic}", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn(
            f"no JSON object with a field has come into the topic {topic}; {topic}_messages shows its records", refused.stderr.decode()
        )


if __name__ == "__main__":
    unittest.main()
