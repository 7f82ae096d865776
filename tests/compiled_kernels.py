"""What does Triton's compiler make of kernels, where the tests themselves interpret them?"""

import json
import os
import subprocess
import sys
from pathlib import Path


def instructions(script: Path, cache: Path) -> dict[str, list[str]]:
    """Of each kernel that ``script`` compiles, which of the instructions looked for it has."""
    environment = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    environment["TRITON_CACHE_DIR"] = str(cache)
    ran = subprocess.run(
        [sys.executable, script], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, list[str]] = json.loads(ran.stdout)
    return found
