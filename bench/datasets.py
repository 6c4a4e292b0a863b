"""The files that the benchmarks read, made once under build/bench/data.

    attempts(copies)    the real file so many times over, each copy with ids of its own (needs FILE)
    generated(count)    attempts of `tripos generate`
"""

import json
import os
import subprocess
import uuid

FOLDER = os.path.join("build", "bench", "data")


def _make(name, write):
    path = os.path.join(FOLDER, name)
    if not os.path.exists(path):
        os.makedirs(FOLDER, exist_ok=True)
        print(f"  … making {path}", flush=True)
        with open(path + ".part", "wb") as output:
            write(output)
        os.rename(path + ".part", path)
    return path


def attempts(file, copies):
    """NDJSON: every element of the JSON array in `file`, minified; from the second copy on, ids that occur nowhere else."""

    def write(output):
        with open(file, "rb") as source:
            elements = json.load(source)
        lines = []
        for element in elements:
            text = json.dumps(element, ensure_ascii=False, separators=(",", ":")).encode()
            own = {str(element.get(key, "")).encode() for key in ("keen_id", "user_exam_id")}
            own.add(str((element.get("sequences") or {}).get("id", "")).encode())
            lines.append((text, sorted(own - {b""})))
        for copy in range(copies):
            for text, own in lines:
                if copy > 0:
                    for value in own:
                        fresh = uuid.uuid5(uuid.NAMESPACE_OID, f"{copy}:{value!r}").hex.encode()
                        fresh = (fresh + fresh)[: len(value)] if len(value) != 36 else str(uuid.UUID(fresh.decode())).encode()
                        text = text.replace(value, fresh)
                output.write(text + b"\n")

    return _make(f"attempts-{copies}.ndjson", write)


def generated(program, count):
    def write(output):
        subprocess.run([program, "generate", "--messages", str(count)], stdout=output, check=True)

    return _make(f"generated-{count}.ndjson", write)
