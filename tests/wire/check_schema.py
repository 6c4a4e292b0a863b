#!/usr/bin/env python3
"""Compares schema/*.kafka with the message definitions inside Kafka's own jars: every field, in order, with type, versions, where it
may be null, default and tag; keys, flexible versions, struct names.

    tests/wire/check_schema.py <folder of jars> schema/*.kafka

Exit code 77 (skipped) if the jars are not there. What differs on purpose is listed in DELIBERATE below.
"""

import glob
import json
import os
import re
import sys
import zipfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools", "wire_codegen"))
from cpp_types import snake  # noqa: E402
from schema import NEVER, Versions, parse_file  # noqa: E402

SKIPPED = 77

# Where we differ on purpose.
DELIBERATE = """
An error_message that may be null is null by default; Kafka's default for some is the empty text, which its tools would show.
The version of a key of __consumer_offsets is what stands in front of it; Kafka 4 calls that its apiKey.
int16 fields that hold an error code have the type `error`.
"""
EMPTY = {"string": "", "bool": "false", "float64": "0.0"}


def load_definitions(folder):
    """All message definitions by name. They are JSON with // comments."""
    definitions = {}
    for jar in sorted(glob.glob(os.path.join(folder, "kafka-*.jar"))):
        with zipfile.ZipFile(jar) as archive:
            for name in archive.namelist():
                if name.startswith("common/message/") and name.endswith(".json"):
                    text = archive.read(name).decode()
                    # A string, or a comment: whichever starts first.
                    text = re.sub(r'("(?:[^"\\]|\\.)*")|//[^\n]*', lambda found: found.group(1) or "", text)
                    definition = json.loads(text)
                    definitions[definition["name"]] = definition
    return definitions


def cut(text, within):
    """Kafka's notation of versions, cut to what we have; None if nothing is left."""
    if text is None or text == "none":
        return None
    low, separator, high = text.partition("-")
    versions = Versions(max(int(low.rstrip("+")), within.low), min(int(high), within.high) if separator else
                        (within.high if low.endswith("+") else min(int(low), within.high)))
    return versions if versions.low <= versions.high else None


def versions_of(field):
    """A tagged field may name no other versions."""
    return field.get("versions") or field["taggedVersions"]


def theirs_default(field, nullable):
    default = field.get("default")
    kind = field["type"]
    if default is None:
        if kind.startswith("[]"):
            return "[]"
        return EMPTY.get(kind, "" if kind in ("bytes", "records", "uuid") or kind[0].isupper() else "0")
    default = str(default).lower() if isinstance(default, bool) else str(default)
    return str(int(default, 16)) if default.startswith("0x") else default


def our_default(field):
    if field.default is None:
        if field.array:
            return "[]"
        return EMPTY.get(field.type, "" if field.type in ("bytes", "records", "uuid") or field.struct else "0")
    return field.default.strip('"')


class Comparison:
    def __init__(self):
        self.differences = []
        self.fields = 0

    def differ(self, where, what, ours, theirs):
        if ours != theirs:
            self.differences.append(f"{where}: {what}: ours {ours}, Kafka's {theirs}")

    def message(self, message, definition):
        where = message.name
        is_key = definition["type"] == "coordinator-key"
        if message.kind != "data":
            self.differ(where, "key", message.key, definition["apiKey"])
        if is_key:
            self.differ(where, "newest version", message.versions.high, definition["apiKey"])
        elif cut(definition["validVersions"], message.versions) != message.versions:
            self.differ(where, "versions", message.versions, definition["validVersions"])
        flexible = definition["flexibleVersions"]
        theirs = NEVER if flexible == "none" or int(flexible[:-1]) > message.versions.high else int(flexible[:-1])
        self.differ(where, "flexible from", message.flexible_from, theirs)
        commons = {struct["name"]: struct["fields"] for struct in definition.get("commonStructs", [])}
        self.struct(where, message.body, definition["fields"], commons, message.versions, is_key)

    def struct(self, where, struct, their_fields, commons, within, is_key):
        # Tagged fields go by their tags, wherever they are listed.
        present = [field for field in their_fields if is_key or cut(versions_of(field), within)]
        present.sort(key=lambda field: field.get("tag", -1))
        tags = {snake(field["name"]): field.get("tag", -1) for field in present}
        ours = sorted(struct.fields, key=lambda field: tags.get(field.name, -1))
        self.differ(where, "fields", [field.name for field in ours], [snake(field["name"]) for field in present])
        for field, theirs in zip(ours, present):
            self.field(f"{where}.{field.name}", field, theirs, commons, within, is_key)

    def field(self, where, field, theirs, commons, within, is_key):
        self.fields += 1
        versions = within if is_key else cut(versions_of(theirs), within)
        self.differ(where, "versions", field.versions, versions)
        kind = theirs["type"]
        self.differ(where, "array", field.array, kind.startswith("[]"))
        kind = kind.removeprefix("[]")
        if field.type == "error":
            self.differ(where, "type", "int16", kind)
            if not theirs["name"].lower().endswith("errorcode"):
                self.differ(where, "type", "error", kind)
        else:
            self.differ(where, "type", field.type, kind)
        nullable = cut(theirs.get("nullableVersions"), versions)
        self.differ(where, "null versions", field.null_versions if field.nullable else None, nullable)
        tagged = cut(theirs.get("taggedVersions"), versions)
        self.differ(where, "tagged versions", field.versions if field.tag is not None else None, tagged)
        self.differ(where, "tag", field.tag, theirs.get("tag"))
        if "flexibleVersions" in theirs:
            self.differ(where, "flexible versions of the field", None, theirs["flexibleVersions"])
        if not (field.name == "error_message" and field.nullable):
            self.differ(where, "default", our_default(field), theirs_default(theirs, nullable))
        elif field.default != "null":
            self.differ(where, "default", field.default, "null (by our rule)")
        if field.struct:
            self.struct(where, field.struct, theirs.get("fields") or commons[kind], commons, field.struct.versions, is_key)


def main():
    folder, *files = sys.argv[1:]
    definitions = load_definitions(folder)
    if not definitions:
        print(f"SKIPPED: Kafka's jars are not in {folder}; tests/wire/fetch_kafka_clients.sh fetches them")
        sys.exit(SKIPPED)
    comparison = Comparison()
    messages = [message for path in files for message in parse_file(path, os.path.basename(path))]
    for message in messages:
        if message.name in definitions:
            comparison.message(message, definitions[message.name])
        else:
            comparison.differences.append(f"{message.name}: Kafka has no such message")
    if comparison.differences:
        sys.exit("\n".join(comparison.differences))
    print(f"{len(messages)} messages with {comparison.fields} fields are Kafka's")


main()
