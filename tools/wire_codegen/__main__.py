"""Generates the Kafka codec: python3 tools/wire_codegen --out FOLDER --units N schema/*.kafka

Of each schema file a header; all decoders and encoders in N translation units; the message table, a round trip test, a table for
the documents (messages.md) and one for scripts (messages.txt). Files whose text did not change are left alone, so that nothing is
compiled twice for nothing.
"""

import argparse
import os
import sys

import cpp_codec
import cpp_tests
import cpp_types
import documents
from schema import SchemaError, parse_file


def write_if_changed(path, text):
    try:
        with open(path, encoding="utf-8") as file:
            if file.read() == text:
                return
    except FileNotFoundError:
        pass
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def spread(files, unit_count):
    """Biggest first, each into the unit that has least so far."""
    units = [[0, [], []] for _ in range(unit_count)]
    for stem, messages in sorted(files.items(), key=lambda item: (-sum(len(m.structs) + 1 for m in item[1]), item[0])):
        unit = min(units, key=lambda unit: unit[0])
        unit[0] += sum(len(message.structs) + 1 for message in messages)
        unit[1].append(stem)
        unit[2] += messages
    return units


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--out", required=True)
    arguments.add_argument("--units", type=int, default=8)
    arguments.add_argument("files", nargs="+")
    options = arguments.parse_args()

    files = {}
    try:
        for path in sorted(options.files):
            files[os.path.splitext(os.path.basename(path))[0]] = parse_file(path, "schema/" + os.path.basename(path))
    except SchemaError as error:
        sys.exit(str(error))
    messages = [message for file_messages in files.values() for message in file_messages]
    names = [message.name for message in messages]
    if len(set(names)) != len(names):
        sys.exit("two messages of the same name")

    os.makedirs(options.out, exist_ok=True)
    outputs = {f"{stem}.h": cpp_types.emit_header(file_messages, f"schema/{stem}.kafka") for stem, file_messages in files.items()}
    outputs["messages.h"] = (cpp_types.banner("schema/") + "#pragma once\n\n"
                             + "".join(f'#include "wire/{stem}.h"  // IWYU pragma: export\n' for stem in files))
    for number, (_, stems, unit_messages) in enumerate(spread(files, options.units)):
        outputs[f"codec_{number}.cc"] = cpp_codec.emit_unit(stems, unit_messages)
    outputs["message_table.cc"] = cpp_codec.emit_table(messages)
    outputs["round_trip_test.cc"] = cpp_tests.emit_round_trips(messages)
    outputs["messages.txt"] = "".join(f"{message.name} {message.versions.low} {message.versions.high}\n" for message in messages)
    outputs["messages.md"] = documents.emit_table(messages)
    for name, text in outputs.items():
        write_if_changed(os.path.join(options.out, name), text)


main()
