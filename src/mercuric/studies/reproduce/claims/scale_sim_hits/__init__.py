"""The files of hits and misses: do they say what they should?"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from mercuric.page import formats
from mercuric.page.chart import Picture
from mercuric.studies.reproduce.found import Found, Number
from mercuric.studies.reproduce.pictures import lines

SHAPE = 8
"""Columns before a line's Hitmap: the input's shape, the signatures', hits and misses."""


def found(folders: Mapping[str, Path]) -> Found:
    """Hits and misses of every layer's file."""
    counts = pd.DataFrame([_counts(path) for path in sorted(folders["hitmaps"].glob("hitmap-*.csv"))])
    share = counts["hits"] / counts["vectors"]
    return Found(
        {
            "sums": Number(float((counts["hits"] + counts["misses"] == counts["vectors"]).all())),
            "most": Number(float((share > 0).mean()), beside=formats.between(
                formats.percent(share.min()), formats.percent(share.max()))),
        },
        f"{len(counts)} layers, {formats.percent(counts['hits'].sum() / counts['vectors'].sum())} of "
        "all vectors hit.",
        [("Files", f"hitmap-001.csv to hitmap-{len(counts):03d}.csv")],
        [
            Picture(
                "scale-sim-hits", "Share of hits, file by file", "In the order of the network's layers.",
                lines(range(1, len(counts) + 1), {"hits": share.tolist()}, ("layer", "share of vectors")),
            )
        ],
    )  # fmt: skip


def _counts(path: Path) -> dict[str, int]:
    """Sums over a file's lines; the Hitmap behind them is not read."""
    lines_ = [line.split(",", SHAPE) for line in path.read_text(encoding="utf-8").splitlines()]
    return {
        "vectors": sum(int(line[4]) for line in lines_),
        "hits": sum(int(line[6]) for line in lines_),
        "misses": sum(int(line[7]) for line in lines_),
    }
