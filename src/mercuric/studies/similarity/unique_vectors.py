"""How many unique vectors do RPQ and a Bloom filter find? (paper II-A, Fig. 3)"""

from collections.abc import Sequence
from statistics import mean, stdev

import pandas as pd
import torch
from torch import Tensor

from mercuric.progress import Progress, silent
from mercuric.similarity import random_projection, signatures
from mercuric.similarity.bloom_filter import bloom_signatures

UNIQUE = 10
SIMILAR = 10
DIMENSION = 10
EPSILONS = (0.001, 0.01, 0.1)
DRAWS = 10
LENGTHS = (*range(1, 17), *range(18, 33, 2), *range(36, 65, 4))
SAMPLE = 1000
METHODS = ("RPQ", "Bloom filter")


def drawn_vectors(epsilon: float, seed: int) -> Tensor:
    """Ten random vectors of ten elements and ten similar ones of each, in any order: (110, 10).

    Elements come from N(0, 1); a similar vector adds ``epsilon`` x N(0, 1) to each (the paper says
    "some random epsilon").
    """
    generator = torch.Generator().manual_seed(seed)
    unique = torch.randn(UNIQUE, DIMENSION, generator=generator)
    noise = torch.randn(UNIQUE, SIMILAR, DIMENSION, generator=generator)
    return torch.cat([unique, (unique[:, None] + epsilon * noise).flatten(0, 1)])


def photograph_windows(image: Tensor, seed: int, sample: int = SAMPLE) -> Tensor:
    """3x3 windows of an image's first channel, at most ``sample`` of them at random: (windows, 9).

    Args:
        image: (C, H, W), as a network sees it.
        seed: what the sample is drawn from.
        sample: how many windows at most.
    """
    windows = image[0].unfold(0, 3, 1).unfold(1, 3, 1).reshape(-1, 9)
    chosen = torch.randperm(len(windows), generator=torch.Generator().manual_seed(seed))
    return windows[chosen[:sample]].contiguous()


def found(vectors: Tensor, method: str, bits: int, seed: int) -> int:
    """How many vectors ``"RPQ"`` or ``"Bloom filter"`` tells apart with signatures of ``bits`` bits.

    Args:
        vectors: (N, m), elements of a deviation near 1 (the Bloom filter's levels are 0.5 wide).
        method: ``"RPQ"`` or ``"Bloom filter"``.
        bits: signature length, 1 to 64.
        seed: of the projection, or of the hash functions.
    """
    if method == "RPQ":
        return len(torch.unique(signatures(vectors, random_projection(vectors.shape[1], bits, seed))))
    return len(torch.unique(bloom_signatures(vectors, bits, seed=seed)))


def unique_vectors(
    image: Tensor, draws: int = DRAWS, lengths: Sequence[int] = LENGTHS, progress: Progress = silent
) -> pd.DataFrame:
    """The data of Fig. 3: drawn vectors of three similarities, and windows of a photograph.

    Args:
        image: (C, H, W), the photograph as a network sees it.
        draws: vectors (or samples of windows), projections and hash functions anew so many times.
        lengths: signature lengths in bits, each from 1 to 64.
        progress: told sets of vectors done, and how many there are.

    Returns:
        A row a set of vectors, method and length. ``vectors``: ``"random"`` or ``"photograph"``;
        ``epsilon`` (random only); ``method``; ``bits``; ``unique``: found, mean over draws;
        ``spread``: its deviation; ``known``: unique vectors there are (10 by construction, or distinct
        windows exactly); ``of``: vectors compared; ``draws``.
    """
    sets = [
        ("random", epsilon, [drawn_vectors(epsilon, seed) for seed in range(draws)]) for epsilon in EPSILONS
    ]
    sets.append(("photograph", float("nan"), [photograph_windows(image, seed) for seed in range(draws)]))
    tables = []
    for done, (name, epsilon, several) in enumerate(sets):
        counts = _counts(several, lengths)
        known = (
            UNIQUE if name == "random" else mean(float(len(torch.unique(drawn, dim=0))) for drawn in several)
        )
        tables.append(counts.assign(vectors=name, epsilon=epsilon, known=known, of=len(several[0])))
        progress(done + 1, len(sets))
    columns = ["vectors", "epsilon", "method", "bits", "unique", "spread", "known", "of", "draws"]
    return pd.concat(tables, ignore_index=True)[columns]


def _counts(several: Sequence[Tensor], lengths: Sequence[int]) -> pd.DataFrame:
    rows: list[dict[str, object]] = []
    for method in METHODS:
        for bits in lengths:
            counts = [float(found(drawn, method, bits, seed)) for seed, drawn in enumerate(several)]
            spread = stdev(counts) if len(counts) > 1 else 0.0
            rows.append({"method": method, "bits": bits, "unique": mean(counts), "spread": spread})
    return pd.DataFrame(rows).assign(draws=len(several))
