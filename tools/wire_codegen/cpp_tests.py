"""The generated round trip test: every message in every version, filled at random, must come back as it was."""

from cpp_codec import null_allowed, parameters, present, scope
from cpp_types import banner, is_payload


def fill_value(message, field):
    """Statements that set `value` to something."""
    if field.struct:
        return "fill(random, version, value);"
    if is_payload(message, field):
        return "random.records(value);"
    name = "bytes" if field.type == "records" else field.type
    return f"random.{'boolean' if name == 'bool' else name}(value);"


def fill_field(message, field):
    target = f"to.{field.name}"
    value = f"[&](auto& value) {{ {fill_value(message, field)} }}"
    if field.array:
        value = f"[&](auto& elements) {{ random.array(elements, {value}); }}"
    if field.nullable and not is_payload(message, field):
        return f"random.nullable({target}, {null_allowed(field) or 'true'}, {value});"
    if is_payload(message, field):
        return f"random.records({target}, {'true' if field.nullable else 'false'});"
    return f"({value})({target});"


def emit_fill(message, struct):
    lines = []
    for field in struct.fields:
        condition = present(field.versions, field.within)
        lines.append("  " + (f"if ({condition}) " if condition else "") + fill_field(message, field))
    body = "\n".join(lines)
    taken = parameters(body, "RandomMessage& random", "std::int16_t version", f"{scope(message, struct)}& to")
    return f"static void fill({taken}) {{\n{body}\n}}\n"


def emit_test(message):
    name = message.name
    return (f"TEST(RoundTrip, {name}) {{\n"
            f"  expect_round_trips<{name}>([](RandomMessage& random, std::int16_t version, {name}& to) {{\n"
            f"    fill(random, version, to);\n  }});\n}}\n")


def emit_round_trips(messages):
    fills = "\n".join(emit_fill(message, struct) for message in messages for struct in message.structs + [message.body])
    tests = "\n".join(emit_test(message) for message in messages)
    includes = '#include "wire/messages.h"\n#include "wire/random_message.h"\n\n'
    return (banner("schema/") + includes + "namespace tripos::wire {\n\n" + fills + "\n" + tests + "\n}  // namespace tripos::wire\n")
