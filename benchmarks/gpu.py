"""What do reuse and low rank gain on a GPU?

    python benchmarks/gpu.py [--only SECTION ...] [--rounds 30] [--json]

bfloat16, channels_last. Forms run in turn between CUDA events, and ratios are taken round by round.
Layers and networks of fixed shapes are captured in CUDA graphs, so that no form waits for Python.
"""

import argparse
import json
import sys
import time

import torch
from on_gpu import alike, equal, low_rank, prefixes
from on_gpu.timing import Settings, shown

from mercuric.studies.machine import machine

SECTIONS = {
    "layers": low_rank.layer_rows,
    "networks": low_rank.network_rows,
    "alike": alike.rows,
    "equal": equal.rows,
    "prefixes": prefixes.rows,
}
"""Name to what gives its rows."""
HEAD = """\
| case | form | forward, ms | times faster | training, ms | times faster |
|---|---|--:|--:|--:|--:|"""


def main() -> int:
    """Measure, and print tables or JSON."""
    arguments = _arguments()
    if not torch.cuda.is_available() and not arguments.quick:
        print(
            "No CUDA device is here, and only one can say how fast it is; --quick runs on a processor.",
            file=sys.stderr,
        )
        return 2
    torch.manual_seed(0)
    torch.backends.cudnn.benchmark = True
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    settings = Settings(device, arguments.rounds, arguments.quick)
    rows = []
    for name in arguments.only:
        began = time.perf_counter()
        found = SECTIONS[name](settings)
        if found and not arguments.json:
            title = f"\n## {found[0]['section']} ({time.perf_counter() - began:.0f} s)\n"
            print(title, HEAD, *map(shown, found), sep="\n", flush=True)
        rows += found
    if arguments.json:
        where = {**machine(), "gpu": torch.cuda.get_device_name() if device.type == "cuda" else None}
        print(json.dumps({"machine": where, "rows": rows}, indent=2))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS), help="sections")
    parser.add_argument("--rounds", type=int, default=30, help="measurements of each form")
    parser.add_argument(
        "--quick", action="store_true", help="tiny shapes, on a processor where there is no GPU"
    )
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.rounds < 2:
        parser.error(f"rounds was {arguments.rounds}, but a spread needs at least 2")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
