"""How many MCACHE look-ups does one core make a second?

    python benchmarks/mcache.py [--json]

1024 entries, 16 ways (paper VI); 20-bit signatures of 3x3 windows of photographs, 1024 a scope, and
uniform random ones. Aim: 20 million a second.
"""

import argparse
import json
import statistics
import time
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mercuric.data import load
from mercuric.similarity import MCache, random_projection, signatures

LOOK_UPS = 10_000_000
SCOPE = 1024
BITS = 20
RUNS = 7


def photo_signatures(look_ups: int) -> Tensor:
    """Signatures of every 3x3 window (padding 1) of one channel a scope, as many images as it takes."""
    projection = random_projection(9, BITS)
    split = load("photos").train
    scopes, found = -(-look_ups // SCOPE), []
    for first in range(0, scopes, 3 * 64):
        images = torch.arange(first // 3, first // 3 + 64) % len(split)
        channels = split.batch(images)[0].view(-1, 1, 32, 32)
        found.append(signatures(F.unfold(channels, 3, padding=1).transpose(1, 2), projection))
    return torch.cat(found)[:scopes].contiguous()


def random_signatures(look_ups: int) -> Tensor:
    """Uniform signatures: nearly no hits, so sets fill up."""
    generator = torch.Generator().manual_seed(0)
    return torch.randint(1 << BITS, (-(-look_ups // SCOPE), SCOPE), generator=generator)


def measure(tags: Tensor, runs: int) -> dict[str, Any]:
    """Look-ups a second over ``runs`` runs, and what the MCACHE said."""
    cache = MCache(entries=1024, ways=16)
    shares = cache.access(tags).states.flatten().bincount(minlength=3) / tags.numel()
    rates = []
    for _ in range(runs):
        start = time.perf_counter()
        cache.access(tags)
        rates.append(tags.numel() / (time.perf_counter() - start))
    return {
        "look_ups": tags.numel(),
        "runs": runs,
        "per_second": {"median": statistics.median(rates), "lowest": min(rates), "highest": max(rates)},
        "shares": dict(zip(("HIT", "MAU", "MNU"), shares.tolist(), strict=True)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--look-ups", type=int, default=LOOK_UPS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    results = {
        "photographs": measure(photo_signatures(options.look_ups), options.runs),
        "uniform": measure(random_signatures(options.look_ups), options.runs),
    }
    if options.json:
        print(json.dumps(results, indent=2))
        return
    print("million look-ups a second on one core: median (lowest to highest); HIT, MAU, MNU")
    for name, result in results.items():
        median, lowest, highest = (result["per_second"][key] / 1e6 for key in ("median", "lowest", "highest"))
        shares = ", ".join(f"{share:.1%}" for share in result["shares"].values())
        print(f"{name:12} {median:6.1f} ({lowest:.1f} to {highest:.1f}); {shares}")


if __name__ == "__main__":
    main()
