"""The notation of schema/*.kafka: what it means, and its parser. schema/README.md describes it for people."""

import re
from dataclasses import dataclass, field as dataclass_field

# Bytes on the wire that a value takes at least: (classic, flexible).
PRIMITIVES = {
    "bool": (1, 1), "int8": (1, 1), "int16": (2, 2), "int32": (4, 4), "int64": (8, 8), "uint16": (2, 2), "float64": (8, 8),
    "uuid": (16, 16), "error": (2, 2), "string": (2, 1), "bytes": (4, 1), "records": (4, 1),
}
NULLABLE_PRIMITIVES = {"string", "bytes", "records"}
NEVER = 32767


class SchemaError(Exception):
    pass


@dataclass(frozen=True)
class Versions:
    low: int
    high: int

    def covers(self, other):
        return self.low <= other.low and other.high <= self.high

    def __contains__(self, version):
        return self.low <= version <= self.high

    def __iter__(self):
        return iter(range(self.low, self.high + 1))


@dataclass
class Struct:
    name: str
    versions: Versions
    fields: list = dataclass_field(default_factory=list)


@dataclass
class Field:
    name: str
    type: str              # a primitive's name, or a struct's
    array: bool
    nullable: bool
    null_versions: Versions  # where null may stand; within `versions`
    default: str           # as written; None: the type's own
    versions: Versions     # within the message's
    tag: int               # None: not tagged
    comment: list
    struct: Struct = None  # None: a primitive
    within: Versions = None  # the versions of the struct that it is in


@dataclass
class Message:
    name: str
    kind: str              # request, response or data
    key: int               # None for data
    versions: Versions
    flexible_from: int
    body: Struct
    structs: list          # children before parents, without the body
    comment: list
    file: str

    def flexible(self, version):
        return version >= self.flexible_from


SHARED = re.compile(r"struct\s+([A-Z]\w*)\s*{$")
HEAD = re.compile(r"(api|data)\s+(\w+)(?:\s*=\s*(\d+))?\s*,\s*versions\s+(\d+)(?:-(\d+))?(?:\s*,\s*flexible\s+(\d+)\+)?\s*({?)$")
FIELD = re.compile(
    r"(?P<name>[a-z]\w*):\s*(?P<open>\[?)(?P<type>\w+)(?P<close>\]?)(?P<nullable>\??)"
    r"(?:\s*=\s*(?P<default>\"[^\"]*\"|-?\w+))?"
    r"(?:\s+(?P<versions>\d+(?:\+|-\d+)?))?"
    r"(?:\s+null\s+(?P<null>\d+(?:\+|-\d+)?))?"
    r"(?:\s+tag\s+(?P<tag>\d+))?"
    r"\s*(?P<brace>\{?)$")


def parse_versions(text, within):
    """`3+`, `3-5` or `3`, cut to `within`."""
    if text.endswith("+"):
        low, high = int(text[:-1]), within.high
    elif "-" in text:
        low, high = map(int, text.split("-"))
    else:
        low = high = int(text)
    return Versions(max(low, within.low), min(high, within.high))


class Parser:
    def __init__(self, path, text):
        self.path = path
        self.lines = text.splitlines()
        self.number = 0
        self.comment = []

    def fail(self, reason):
        raise SchemaError(f"{self.path}:{self.number}: {reason}")

    def next_line(self):
        """The next line that says something; comments above it and behind it are in self.comment."""
        self.comment = []
        while self.number < len(self.lines):
            line = self.lines[self.number].strip()
            self.number += 1
            if line.startswith("#"):
                self.comment.append(line[1:].removeprefix(" ").rstrip())
            elif not line:
                self.comment = []
            else:
                text, _, comment = line.partition("#")
                if comment:
                    self.comment.append(comment.strip())
                return text.strip()
        return None

    def parse(self):
        messages = []
        while (line := self.next_line()) is not None:
            messages += self.parse_head(line)
        if not messages:
            self.fail("no message")
        return messages

    def parse_head(self, line):
        found = HEAD.match(line)
        if not found:
            self.fail(f"expected `api Name = key, versions A-B, flexible C+` or `data Name, versions A-B {{`, found `{line}`")
        kind, name, key, low, high, flexible, brace = found.groups()
        versions = Versions(int(low), int(high or low))
        flexible_from = int(flexible) if flexible else NEVER
        comment = self.comment
        if kind == "data":
            if key or not brace:
                self.fail("a data message has no key, and its body opens on the same line")
            return [self.parse_message(name, "data", None, versions, flexible_from, comment)]
        if not key or brace:
            self.fail("an api has a key, and its request and response open on lines of their own")
        messages = []
        for part in ("request", "response"):
            if self.next_line() != part + " {":
                self.fail(f"expected `{part} {{`")
            messages.append(self.parse_message(name + part.capitalize(), part, int(key), versions, flexible_from, comment + self.comment))
        return messages

    def parse_message(self, name, kind, key, versions, flexible_from, comment):
        message = Message(name, kind, key, versions, flexible_from, Struct(name, versions), [], comment, self.path)
        self.parse_fields(message, message.body)
        return message

    def parse_fields(self, message, struct):
        while (line := self.next_line()) != "}":
            if line is None:
                self.fail(f"{struct.name} is not closed")
            shared = SHARED.match(line)
            if shared and struct is message.body:
                self.parse_struct(message, shared[1], message.versions)
            else:
                struct.fields.append(self.parse_field(message, line, struct.versions))
        names = [field.name for field in struct.fields]
        tags = [field.tag for field in struct.fields if field.tag is not None]
        if len(set(names)) != len(names) or sorted(set(tags)) != tags:
            self.fail(f"{struct.name}: names must differ, and tags ascend")

    def parse_struct(self, message, name, versions):
        if name in (struct.name for struct in message.structs):
            self.fail(f"{name} is defined twice")
        struct = Struct(name, versions)
        self.parse_fields(message, struct)
        message.structs.append(struct)
        return struct

    def parse_field(self, message, line, within):
        found = FIELD.match(line)
        if not found or bool(found["open"]) != bool(found["close"]):
            self.fail(f"expected `name: type [= default] [versions] [null versions] [tag n]`, found `{line}`")
        versions = parse_versions(found["versions"], within) if found["versions"] else within
        if versions.low > versions.high:
            self.fail(f"{found['name']} is in no version of {message.name}")
        null_versions = parse_versions(found["null"], versions) if found["null"] else versions
        field = Field(found["name"], found["type"], bool(found["open"]), bool(found["nullable"]), null_versions, found["default"], versions,
                      int(found["tag"]) if found["tag"] else None, self.comment, within=within)
        if field.tag is not None and not message.flexible(versions.low):
            self.fail(f"{field.name} is tagged in version {versions.low}, which is not flexible")
        if field.default == "null" and not field.nullable:
            self.fail(f"{field.name} is not nullable")
        if found["null"] and not field.nullable:
            self.fail(f"{field.name}: `null {found['null']}` without `?`")
        if field.type in PRIMITIVES:
            if found["brace"] or (field.nullable and not field.array and field.type not in NULLABLE_PRIMITIVES):
                self.fail(f"{field.type} can't be that")
            return field
        known = {struct.name: struct for struct in message.structs}
        if found["brace"]:
            field.struct = self.parse_struct(message, field.type, versions)
        elif field.type in known:
            field.struct = known[field.type]
            if not field.struct.versions.covers(versions):
                self.fail(f"{field.name} is in versions that {field.type} was not defined for")
        else:
            self.fail(f"unknown type {field.type}")
        return field


def parse_file(path, shown_path):
    with open(path, encoding="utf-8") as file:
        return Parser(shown_path, file.read()).parse()


def bytes_min_of_field(field, flexible, version):
    if field.array:
        return 1 if flexible else 4
    if field.struct:
        return 1 if field.nullable else bytes_min_of_struct(field.struct, flexible, version)
    return PRIMITIVES[field.type][1 if flexible else 0]


def bytes_min_of_struct(struct, flexible, version):
    fields = (field for field in struct.fields if field.tag is None and version in field.versions)
    return sum(bytes_min_of_field(field, flexible, version) for field in fields) + (1 if flexible else 0)


def element_bytes_min(message, field):
    """The least that one element of an array takes, over all versions that have the array. At least 1."""
    def one(version):
        flexible = message.flexible(version)
        return bytes_min_of_struct(field.struct, flexible, version) if field.struct else PRIMITIVES[field.type][1 if flexible else 0]
    return max(1, min(one(version) for version in field.versions))
