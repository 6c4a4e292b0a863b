"""What a table shows of JSON values, written down as plainly as possible from docs/format/json_types.md. Shares nothing with the program.

A type is a tuple: ("void",), ("boolean",), ("bigint",), ("decimal", p), ("double",), ("string",), ("array", element),
("struct", {name: type}).
A value is None, a bool, a str, Int(text), Real(text), a list or a dict."""

import json
import math
import re

VOID, BOOLEAN, BIGINT, DOUBLE, STRING = ("void",), ("boolean",), ("bigint",), ("double",), ("string",)


class Int(str):
    """A number without fraction and exponent, as it is written."""


class Real(str):
    """Any other number, as it is written."""


def refuse(text):
    raise ValueError(f"{text} is not JSON")


def parse(text):
    """The value of a message; an exception if it isn't JSON. Of duplicate keys the last counts; a NUL in a key reads as U+FFFD, and a
    lone surrogate anywhere does."""

    def clean(text):
        return re.sub("[\ud800-\udfff]", "\ufffd", text)

    def pairs(members):
        return {clean(key).replace("\0", "\ufffd"): value for key, value in members}

    def strings(value):
        if type(value) is str:
            return clean(value)
        if isinstance(value, list):
            return [strings(each) for each in value]
        return {key: strings(each) for key, each in value.items()} if isinstance(value, dict) else value

    return strings(json.loads(text, parse_int=Int, parse_float=Real, parse_constant=refuse, object_pairs_hook=pairs))


def type_of(value):
    if value is None:
        return VOID
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, Int):
        if -(2**63) <= int(value) < 2**63:
            return BIGINT
        digits = len(value.lstrip("-"))
        return ("decimal", digits) if digits <= 38 else DOUBLE
    if isinstance(value, Real):
        return DOUBLE
    if isinstance(value, str):
        return STRING
    if isinstance(value, list):
        return ("array", join_all(map(type_of, value)))
    return ("struct", {key: type_of(each) for key, each in value.items()})


def join(a, b):
    if a == VOID or b == VOID:
        return b if a == VOID else a
    numbers = {"bigint": 20, "decimal": 0, "double": 0}
    if a[0] in numbers and b[0] in numbers:
        if a[0] == b[0] == "bigint":
            return a
        if "double" in (a[0], b[0]):
            return DOUBLE
        return ("decimal", max(20 if each == BIGINT else each[1] for each in (a, b)))
    if a[0] != b[0]:
        return STRING
    if a[0] == "array":
        return ("array", join(a[1], b[1]))
    if a[0] == "struct":
        return ("struct", {key: join(a[1].get(key, VOID), b[1].get(key, VOID)) for key in {**a[1], **b[1]}})
    return a


def join_all(types):
    joined = VOID
    for each in types:
        joined = join(joined, each)
    return joined


def settled(kind):
    """The type that a table shows; None: it is left out."""
    if kind == VOID:
        return STRING
    if kind[0] == "array":
        element = settled(kind[1])
        return element and ("array", element)
    if kind[0] == "struct":
        fields = {key: settled(each) for key, each in sorted(kind[1].items(), key=lambda field: field[0].encode())}
        fields = {key: each for key, each in fields.items() if key and each}
        return ("struct", fields) if fields else None
    return kind


RESERVED = ["__tripos_partition", "__tripos_offset", "__tripos_timestamp", "__tripos_key", "__tripos_lost"]


def fold(name):
    return "".join(c.lower() if "A" <= c <= "Z" else c for c in name)


def sql_names(fields):
    """SQL ignores the case of ASCII letters: key → name."""
    taken, names = set(RESERVED), {}
    for key in fields:
        if fold(key) not in taken:
            taken.add(fold(key))
            names[key] = key
    for key in fields:
        number = 1
        while key not in names:
            if fold(f"{key}_{number}") not in taken:
                taken.add(fold(f"{key}_{number}"))
                names[key] = f"{key}_{number}"
            number += 1
    return names


def ddl(kind):
    if kind[0] == "decimal":
        return f"decimal({kind[1]},0)"
    if kind[0] == "array":
        return f"array<{ddl(kind[1])}>"
    if kind[0] == "struct":
        names = sql_names(kind[1])
        quoted = {
            key: name if re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name) else "`" + name.replace("`", "``") + "`"
            for key, name in names.items()
        }
        return "struct<" + ",".join(f"{quoted[key]}:{ddl(each)}" for key, each in kind[1].items()) + ">"
    return kind[0]


def nearest(value):
    """The double that a number is read as. There is one zero."""
    return float(value) + 0.0


def number_text(value):
    number = float(value)
    if math.isinf(number):
        return "1e999" if number > 0 else "-1e999"
    if number == int(number) and abs(number) <= 2**53:
        return str(int(number))
    sign = "-" if number < 0 else ""
    mantissa, exponent = f"{abs(number):.17e}".split("e")
    for precision in range(17):  # the fewest digits that read back
        mantissa, exponent = f"{abs(number):.{precision}e}".split("e")
        if float(f"{mantissa}e{exponent}") == abs(number):
            break
    scientific = f"{mantissa}e{exponent[0]}{exponent[1:].rjust(2, '0')}"
    digits, exponent = mantissa.replace(".", ""), int(exponent)
    if exponent >= len(digits) - 1:
        plain = str(int(abs(number)))
    elif exponent >= 0:
        plain = digits[: exponent + 1] + "." + digits[exponent + 1 :]
    else:
        plain = "0." + "0" * (-exponent - 1) + digits
    return sign + (scientific if len(scientific) < len(plain) else plain)


SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def quoted(text):
    return '"' + "".join(SHORT.get(c, c if c >= " " else f"\\u{ord(c):04x}") for c in text) + '"'


def canonical(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (Int, Real)):
        return number_text(value)
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    members = sorted(((key, each) for key, each in value.items() if each is not None), key=lambda member: member[0].encode())
    return "{" + ",".join(quoted(key) + ":" + canonical(each) for key, each in members) + "}"


def shown(value, kind):
    """The cell of an answer (docs/reference/http.md) of a value in a column of a settled type."""
    if value is None:
        return None
    if kind == STRING:
        return value if type(value) is str else canonical(value)
    if kind == BIGINT:
        return int(value)
    if kind[0] == "decimal":
        return str(int(value))
    if kind == DOUBLE:
        number = nearest(value)
        return number if math.isfinite(number) else "Infinity" if number > 0 else "-Infinity"
    if kind[0] == "array":
        return [shown(each, kind[1]) for each in value]
    if kind[0] == "struct":
        names = sql_names(kind[1])
        return {names[key]: shown(value.get(key), each) for key, each in kind[1].items()}
    return value


class Table:
    """The table of a list of messages, in their order."""

    def __init__(self, messages):
        self.rows = []
        for message in messages:
            try:
                value = parse(message)
            except ValueError:
                continue
            if isinstance(value, dict):
                self.rows.append(value)
        self.type = settled(join_all(map(type_of, self.rows)))

    def columns(self):
        names = sql_names(self.type[1])
        return [(names[key], ddl(kind)) for key, kind in self.type[1].items()]

    def cells(self):
        return [[shown(row.get(key), kind) for key, kind in self.type[1].items()] for row in self.rows]


def same(a, b):
    """Equal, with 1 unlike 1.0 and unlike true, and 0.0 unlike -0.0."""
    if type(a) is not type(b):
        return False
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    return a == b and (not isinstance(a, float) or math.copysign(1, a) == math.copysign(1, b))
