"""How much longer does a training step take with the paper's reuse, emulated on this machine?

    python benchmarks/emulation.py [--pairs 7] [--json]

VGG13 on 32x32 photographs, batch 64: forward, backward and SGD step. Dense and reuse steps take
turns in one process, each on its own copy of the network, and the ratio is taken pair by pair.
"""

import argparse
import copy
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from mercuric import ReuseConfig, reuse_
from mercuric.data import load
from mercuric.zoo import build

BATCH = 64
PAIRS = 7
WARM_UPS = 2

Step = Callable[[int], float]


def make_step(model: nn.Module) -> Step:
    """A function that trains on one batch and returns the seconds it took."""
    split = load("photos").train
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)

    def step(index: int) -> float:
        images, labels = split.batch(torch.arange(index * BATCH, (index + 1) * BATCH) % len(split))
        start = time.perf_counter()
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()
        return time.perf_counter() - start

    return step


def quartiles(values: list[float]) -> dict[str, float]:
    """First quartile, median and third quartile."""
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"q1": low, "median": median, "q3": high}


def measure(pairs: int) -> dict[str, Any]:
    """Seconds of both, and their ratio, over ``pairs`` pairs of steps."""
    torch.manual_seed(0)
    dense = build("vgg13", classes=7)
    reused = copy.deepcopy(dense)
    handle = reuse_(reused, ReuseConfig.paper())
    dense_step, reuse_step = make_step(dense), make_step(reused)
    for index in range(WARM_UPS):  # compiles kernels, and measures the output error once
        dense_step(index), reuse_step(index)
    handle.reset()
    times = [(dense_step(index), reuse_step(index)) for index in range(WARM_UPS, WARM_UPS + pairs)]
    report = handle.report()
    return {
        "pairs": pairs,
        "threads": torch.get_num_threads(),
        "hit_rate": int(report["HIT"].sum()) / int(report["vectors"].sum()),
        "dense_seconds": quartiles([dense_seconds for dense_seconds, _ in times]),
        "reuse_seconds": quartiles([reuse_seconds for _, reuse_seconds in times]),
        "ratio": quartiles([reuse_seconds / dense_seconds for dense_seconds, reuse_seconds in times]),
    }


def pairs_from(text: str) -> int:
    """A number of pairs that has quartiles."""
    if not text.isdecimal() or int(text) < 2:
        raise argparse.ArgumentTypeError(f"pairs was {text!r}, but must be a number from 2")
    return int(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--pairs", type=pairs_from, default=PAIRS)
    options = parser.parse_args()
    result = measure(options.pairs)
    if options.json:
        print(json.dumps(result, indent=2))
        return
    print(
        f"one training step of VGG13, batch {BATCH}, {result['pairs']} pairs, {result['threads']} threads, "
        f"hit rate {result['hit_rate']:.1%}: median (first to third quartile)"
    )
    for name, unit in (("dense_seconds", " s"), ("reuse_seconds", " s"), ("ratio", "x")):
        q1, median, q3 = (result[name][key] for key in ("q1", "median", "q3"))
        print(f"{name.replace('_seconds', ''):6} {median:7.3f}{unit} ({q1:.3f} to {q3:.3f})")


if __name__ == "__main__":
    main()
