"""How fast is a convolution with reuse, against the dense one?

    python benchmarks/conv.py [--rounds 7] [--quick] [--json]

Dense and reuse take turns in one process; ratios are taken round by round.
"""

import argparse

import torch

from mercuric.studies.bench.conv import QUICK_SHAPES, SHAPES, bench_conv
from mercuric.studies.bench.planted import SHARES
from mercuric.studies.bench.settings import BenchSettings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, help="PyTorch's by default")
    parser.add_argument("--quick", action="store_true", help="one small shape, no network")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    settings = BenchSettings(rounds=options.rounds)
    if options.quick:
        table = bench_conv(settings, QUICK_SHAPES, SHARES, network=None)
    else:
        table = bench_conv(
            settings, SHAPES, tell=lambda done, of, name: print(f"{done}/{of} {name}", flush=True)
        )
    table = table[table["form"] != "dense"]
    print(
        table.to_json(orient="records", indent=2) if options.json else table.round(3).to_string(index=False)
    )


if __name__ == "__main__":
    main()
