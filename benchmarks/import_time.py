"""How long does ``import mercuric`` take, beside ``import torch``?

    python benchmarks/import_time.py [--json]

Each in a process of its own, in turn; PyTorch's time is part of ours. Aim: below 1.5 times.
"""

import argparse
import json
import statistics
import subprocess
import sys

ROUNDS = 11


def seconds(module: str) -> float:
    """How long a new process takes to import a module."""
    code = f"import time; start = time.perf_counter(); import {module}; print(time.perf_counter() - start)"
    command = [sys.executable, "-c", code]
    return float(subprocess.run(command, capture_output=True, check=True, text=True).stdout)  # noqa: S603


def measure() -> dict[str, float]:
    """Seconds of both, and the median, least and largest ratio."""
    seconds("mercuric")  # reads the files from the disk
    rounds = [(seconds("torch"), seconds("mercuric")) for _ in range(ROUNDS)]
    ratios = [ours / theirs for theirs, ours in rounds]
    return {
        "torch": statistics.median(theirs for theirs, _ in rounds),
        "mercuric": statistics.median(ours for _, ours in rounds),
        "ratio": statistics.median(ratios),
        "least": min(ratios),
        "largest": max(ratios),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args().json
    found = measure()
    if as_json:
        print(json.dumps(found))
        return
    print("import torch {torch:.2f} s, import mercuric {mercuric:.2f} s".format(**found))
    print("ratio {ratio:.2f} ({least:.2f} to {largest:.2f})".format(**found))


if __name__ == "__main__":
    main()
