"""Interpreters with pyarrow and pyspark: whoever has them. pyarrow is installed by pip where it is missing; Spark is too large for that."""

import os
import subprocess
import sys

PYARROW = "pyarrow==26.0.1"


def has(python, module):
    if not python or not os.path.exists(python):
        return False
    return subprocess.run([python, "-c", f"import {module}"], capture_output=True, timeout=120).returncode == 0


def pyarrow():
    """The interpreter, or None: there is none, and none can be made."""
    venv = os.environ.get("TRIPOS_JUDGES", "")
    ours = os.path.join(venv, "bin", "python")
    for python in (os.environ.get("TRIPOS_SPARK_PYTHON"), sys.executable, ours if venv else None):
        if has(python, "pyarrow.parquet"):
            return python
    if not venv:
        return None
    try:
        subprocess.run([sys.executable, "-m", "venv", venv], check=True, capture_output=True, timeout=120)
        subprocess.run([os.path.join(venv, "bin", "pip"), "install", "-q", PYARROW], check=True, capture_output=True, timeout=300)
    except (subprocess.SubprocessError, OSError):
        return None
    return ours if has(ours, "pyarrow.parquet") else None


def spark():
    return next((python for python in (os.environ.get("TRIPOS_SPARK_PYTHON"), sys.executable) if has(python, "pyspark")), None)
