"""The generated decoders and encoders: one read() and one write() per struct, and the table of messages."""

import re

from cpp_types import banner, is_payload
from schema import NEVER, Versions, element_bytes_min


def absent(versions, within):
    """The condition under which the version is none of `versions`, knowing that it is one of `within`; '' if it never holds."""
    parts = []
    if versions.low > within.low:
        parts.append(f"version < {versions.low}")
    if versions.high < within.high:
        parts.append(f"version > {versions.high}")
    return " || ".join(parts)


def present(versions, within):
    """The opposite; '' if it always holds."""
    parts = []
    if versions.low > within.low:
        parts.append(f"version >= {versions.low}")
    if versions.high < within.high:
        parts.append(f"version <= {versions.high}")
    return " && ".join(parts)


def null_allowed(field):
    """The argument that says where null may stand; '' if everywhere where the field is."""
    return present(field.null_versions, field.versions)


def method(message, field):
    """The name of the Reader's and Writer's method for a value of the field's type."""
    if is_payload(message, field):
        return "records"
    name = "bytes" if field.type == "records" else field.type
    name = "boolean" if name == "bool" else name
    return f"nullable_{name}" if field.nullable and not field.array else name


def scope(message, struct):
    return message.name if struct is message.body else f"{message.name}::{struct.name}"


def read_field(message, field):
    target = f'"{field.name}", to.{field.name}'
    allowed = null_allowed(field)
    if field.array:
        element = "read(in, version, element)" if field.struct else f'in.{method(message, field)}("", element)'
        body = f"{element_bytes_min(message, field)}, [&](auto& element) {{ return {element}; }}"
        if field.nullable:
            return f"in.nullable_array({target}, {allowed or 'true'}, {body})"
        return f"in.array({target}, {body})"
    if field.struct and field.nullable:
        return f"in.nullable_structure({target}, [&](auto& present) {{ return read(in, version, present); }})"
    if field.struct:
        return f'in.structure("{field.name}", [&] {{ return read(in, version, to.{field.name}); }})'
    if method(message, field) == "records" and not field.nullable:
        allowed = "false"
    return f"in.{method(message, field)}({target}{', ' + allowed if allowed else ''})"


def write_field(message, field, out, value):
    allowed = null_allowed(field)
    if field.array:
        element = f"write({out}, version, element)" if field.struct else f"{out}.{method(message, field)}(element)"
        body = f"[&](const auto& element) {{ {element}; }}"
        if field.nullable:
            return f"{out}.nullable_array({value}, {allowed or 'true'}, {body});"
        return f"{out}.array({value}, {body});"
    if field.struct and field.nullable:
        return f"{out}.nullable_structure({value}, [&](const auto& present) {{ write({out}, version, present); }});"
    if field.struct:
        return f"write({out}, version, {value});"
    if method(message, field) == "records" and not field.nullable:
        allowed = "false"
    name = method(message, field)
    if field.name.endswith("error_message"):
        name = name.replace("string", "text")  # the Writer cuts it where it is too long
    return f"{out}.{name}({value}{', ' + allowed if allowed else ''});"


def not_default(message, field, value):
    """The condition under which a tagged field is told."""
    if field.nullable and field.default == "null":
        return f"{value}.has_value()"
    if field.array:
        return f"(!{value} || !{value}->empty())" if field.nullable else f"!{value}.empty()"
    if field.struct:
        return f"!({value} == {message.name}::{field.struct.name}{{}})"
    if field.type == "uuid":
        return f"!{value}.is_zero()"
    if field.type == "bool":
        return f"!{value}" if field.default == "true" else value
    if field.type in ("string", "bytes") and not field.default:
        return f'{value} != ""' if field.nullable else f"!{value}.empty()"
    return f"{value} != {field.default or ('ErrorCode::none' if field.type == 'error' else 0)}"


def parameters(body, *declarations):
    """A parameter list; what the body does not use is marked, since warnings are errors."""
    def used(declaration):
        return re.search(rf"\b{declaration.split()[-1].lstrip('&')}\b", body)
    return ", ".join(declaration if used(declaration) else "[[maybe_unused]] " + declaration for declaration in declarations)


def emit_read(message, struct):
    steps = []
    for field in struct.fields:
        if field.tag is None:
            condition = absent(field.versions, field.within)
            steps.append(f"({condition} || {read_field(message, field)})" if condition else read_field(message, field))
    tagged = [field for field in struct.fields if field.tag is not None]
    if tagged:
        cases = ["in.tagged_fields([&](std::uint32_t tag) {", "           switch (tag) {"]
        for field in tagged:
            newer = absent(field.versions, Versions(max(field.within.low, message.flexible_from), field.within.high))
            skip = f"{newer} ? in.skip_tagged_field() : " if newer else ""
            cases.append(f"             case {field.tag}: return {skip}{read_field(message, field)};")
        cases += ["             default: return in.skip_tagged_field();", "           }", "         })"]
        steps.append("\n".join(cases))
    elif message.flexible_from != NEVER:
        steps.append("in.tagged_fields()")
    joined = " &&\n         ".join(steps) or "true"
    taken = parameters(joined, "Reader& in", "std::int16_t version", f"{scope(message, struct)}& to")
    return f"static bool read({taken}) {{\n  return {joined};\n}}\n"


def emit_write(message, struct):
    lines = []
    tagged = []
    for field in struct.fields:
        if field.tag is not None:
            tagged.append(field)
            continue
        condition = present(field.versions, field.within)
        lines.append("  " + (f"if ({condition}) " if condition else "") + write_field(message, field, "out", f"from.{field.name}"))
    if tagged:
        lines.append("  TaggedFields tagged(out);")
        for field in tagged:
            value = f"from.{field.name}"
            condition = " && ".join(part for part in (present(field.versions, field.within), not_default(message, field, value)) if part)
            body = write_field(message, field, "field", value)
            lines.append(f"  if ({condition}) tagged.add({field.tag}, [&](Writer& field) {{ {body} }});")
        lines.append("  tagged.finish();")
    elif message.flexible_from != NEVER:
        lines.append("  out.no_tagged_fields();")
    body = "\n".join(lines)
    taken = parameters(body, "Writer& out", "std::int16_t version", f"const {scope(message, struct)}& from")
    return f"static void write({taken}) {{\n{body}\n}}\n"


def emit_codec(message):
    parts = []
    for struct in message.structs + [message.body]:
        parts += [emit_read(message, struct), emit_write(message, struct)]
    name = message.name
    parts.append(f"Decoded<{name}> {name}::decode(Bytes body, std::int16_t version) {{\n"
                 f"  Reader in(body, version >= flexible_from);\n"
                 f"  {name} message;\n"
                 f"  if (!in.version_within(version, version_min, version_max) || !read(in, version, message)) return in.malformed();\n"
                 f"  return message;\n}}\n")
    parts.append(f"void {name}::encode(Output& to, std::int16_t version) const {{\n"
                 f"  CHECK(version >= version_min && version <= version_max);\n"
                 f"  Writer out(to, version >= flexible_from);\n"
                 f"  write(out, version, *this);\n}}\n")
    return "\n".join(parts)


def emit_unit(stems, messages):
    includes = "".join(f'#include "wire/{stem}.h"\n' for stem in sorted(stems))
    body = "\n".join(emit_codec(message) for message in messages)
    return (banner("schema/") + '#include "base/check.h"\n' + includes + '#include "wire/reader.h"\n#include "wire/writer.h"\n\n'
            "namespace tripos::wire {\n\n" + body + "\n}  // namespace tripos::wire\n")


def emit_table(messages):
    rows = "".join(f"    row<{message.name}>(\"{message.name}\", MessageKind::{message.kind}),\n" for message in messages)
    requests = [message for message in messages if message.kind == "request"]
    asserts = "".join(f"static_assert(static_cast<int>({message.name}::api_key) == {message.key});\n" for message in requests)
    cases = "".join(f"    case {message.name}::api_key: return {message.name}::flexible_from;\n" for message in requests)
    return (banner("schema/") + '#include "wire/message_table.h"\n\n#include "wire/messages.h"\n\nnamespace tripos::wire {\n'
            "namespace {\n\n"
            f"{asserts}\n"
            "template <typename Message>\n"
            "Decoded<Output> transcode(Bytes body, std::int16_t version) {\n"
            "  const auto message = Message::decode(body, version);\n"
            "  if (!message) return tl::unexpected(message.error());\n"
            "  Output out;\n"
            "  message->encode(out, version);\n"
            "  return out;\n}\n\n"
            "template <typename Message>\n"
            "constexpr ApiKey key_of() {\n"
            "  if constexpr (requires { Message::api_key; }) {\n"
            "    return Message::api_key;\n"
            "  } else {\n"
            "    return ApiKey{-1};\n"
            "  }\n}\n\n"
            "template <typename Message>\n"
            "constexpr MessageRow row(const char* name, MessageKind kind) {\n"
            "  return {.name = name, .kind = kind, .api_key = key_of<Message>(), .version_min = Message::version_min,\n"
            "          .version_max = Message::version_max, .flexible_from = Message::flexible_from,\n"
            "          .transcode = &transcode<Message>};\n}\n\n"
            f"constexpr MessageRow table[] = {{\n{rows}}};\n\n"
            "}  // namespace\n\n"
            "std::span<const MessageRow> message_table() noexcept { return table; }\n\n"
            "std::int16_t flexible_from(ApiKey key) noexcept {\n  switch (key) {\n"
            f"{cases}    default: return never_flexible;\n  }}\n}}\n\n"
            "}  // namespace tripos::wire\n")
