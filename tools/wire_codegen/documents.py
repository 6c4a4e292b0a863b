"""The table of messages for docs/reference."""

from schema import NEVER


def emit_table(messages):
    lines = ["| key | request | versions | flexible from | schema |", "|---|---|---|---|---|"]
    requests = [message for message in messages if message.kind == "request"]
    for message in sorted(requests, key=lambda message: message.key):
        flexible = "never" if message.flexible_from == NEVER else message.flexible_from
        name = message.name.removesuffix("Request")
        lines.append(f"| {message.key} | {name} | {message.versions.low}-{message.versions.high} | {flexible} | `{message.file}` |")
    lines += ["", "| stored or embedded message | versions | flexible from | schema |", "|---|---|---|---|"]
    for message in messages:
        if message.kind == "data":
            flexible = "never" if message.flexible_from == NEVER else message.flexible_from
            lines.append(f"| {message.name} | {message.versions.low}-{message.versions.high} | {flexible} | `{message.file}` |")
    return "\n".join(lines) + "\n"
