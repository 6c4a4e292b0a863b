"""Random streams of messages whose shape grows and widens at every depth."""

KEYS = ["a", "b", "c", "d", "A", "B", "id", "select", "c d", "x.y", "é", "É", 'q"t', "", "a_1"]
INTEGERS = [
    "0",
    "1",
    "-7",
    "42",
    "-0",
    "9007199254740993",
    "-9223372036854775808",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551617",
    "-99999999999999999999",
    "12345678901234567890123456789012345678",
    "123456789012345678901234567890123456789",
    "1" + "0" * 400,
]
REALS = [
    "1.10",
    "-0.0",
    "2.0",
    "1e3",
    "1E-7",
    "0.1",
    "123456.789e3",
    "1e400",
    "-1e400",
    "1e-400",
    "5e-324",
    "1.7976931348623157e308",
    "9007199254740993.0",
    "1e22",
    "123456789012345680000.5",
    "-200.0",
]
STRINGS = [
    "x",
    "",
    "exam one",
    "é",
    "日本",
    "😀",
    "0123456789ab",
    "longer than twelve bytes",
    "1",
    "true",
    "null",
    "[1]",
    '{"a":1}',
    "\\n\\t\\b\\f\\r",
    '\\"',
    "\\\\",
    "\\/",
    "\\u0041",
    "\\ud83d\\ude00",
    "\\u0000",
    "\\u001f",
    "\\ud800",
    "x\\udc00y",
]


class Stream:
    """Each stream has its own habits: how deep, how wild, which kinds a key prefers; they change while it runs."""

    def __init__(self, random):
        self.random = random
        self.depth_max = random.choice([1, 2, 3, 4, 6])
        self.wild = random.choice([0.0, 0.05, 0.3])
        self.keys = random.sample(KEYS, random.randint(2, 7))
        self.habits = {}
        self.duplicates = 0.05  # of objects: have a key twice

    def message(self):
        if self.random.random() < 0.03:
            key = self.random.choice(KEYS)
            self.keys += [key] if key not in self.keys else []
        if self.random.random() < 0.02:
            return self.random.choice(["[1]", "5", "", "{", '{"a":1,}', "nonsense", '{"a":NaN}', "null", '"s"'])
        return self.object(0, "")

    def habit(self, path, depth):
        """The kind that this path has now; now and then it becomes another one, mostly a wider one."""
        if path not in self.habits or self.random.random() < 0.02:
            nested = ["object", "object", "array", "array"] if depth < self.depth_max else []
            kinds = ["integer", "integer", "small", "small", "real", "string", "boolean", "null"]
            self.habits[path] = self.random.choice(kinds + nested)
        return self.habits[path]

    def value(self, path, depth):
        kind = self.habit(path, depth)
        if self.random.random() < self.wild:
            kind = self.random.choice(["integer", "real", "string", "boolean", "object", "array"])
        if self.random.random() < 0.12:
            kind = "null"
        if kind in ("object", "array") and depth >= self.depth_max + 2:
            kind = "small"
        return getattr(self, kind)(depth, path)

    def small(self, depth, path):
        return str(self.random.randint(-5, 300))

    def integer(self, depth, path):
        if self.random.random() < 0.3:  # of any size, so that its nearest double is met exactly
            return self.random.choice(["", "-"]) + str(self.random.getrandbits(self.random.randint(50, 130)))
        return self.random.choice(INTEGERS)

    def real(self, depth, path):
        return self.random.choice(REALS)

    def string(self, depth, path):
        return '"' + self.random.choice(STRINGS) + '"'

    def boolean(self, depth, path):
        return self.random.choice(["true", "false"])

    def null(self, depth, path):
        return "null"

    def space(self):
        return self.random.choice(["", "", "", "", " ", "  ", "\t"])

    def array(self, depth, path):
        elements = [self.value(path + "[]", depth + 1) for _ in range(self.random.choice([0, 1, 1, 2, 3]))]
        return "[" + self.space() + ("," + self.space()).join(elements) + "]"

    def object(self, depth, path):
        keys = [key for key in self.keys if self.random.random() < (0.7 if depth == 0 else 0.4)]
        self.random.shuffle(keys)
        if keys and self.random.random() < self.duplicates:
            keys.append(self.random.choice(keys))
        members = []
        for key in keys:
            quoted = '"' + key.replace('"', '\\"') + '"'
            if self.random.random() < 0.03:
                quoted = '"' + "".join(f"\\u{ord(c):04x}" for c in key) + '"'
            members.append(quoted + self.space() + ":" + self.space() + self.value(path + "." + key, depth + 1))
        return "{" + self.space() + ("," + self.space()).join(members) + "}"
