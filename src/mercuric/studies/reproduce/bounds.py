"""What do the bounds of all networks say of one rival?"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from mercuric.files.reading import read_json_object
from mercuric.page import formats
from mercuric.page.chart import Picture
from mercuric.studies.reproduce.found import Found, Number
from mercuric.studies.reproduce.pictures import bars, tabulated

MERCURY = "adapted"


def bounds_of(folders: Mapping[str, Path]) -> pd.DataFrame:
    """Multiply-accumulates over what is left: a network a row, a way a column."""
    summaries = [read_json_object(path / "bounds.json") for path in folders.values()]
    return pd.DataFrame({one["model"]: one["speedup"] for one in summaries}).T


def over(table: pd.DataFrame, rival: str) -> Number:
    """MERCURY's mean over the rival's, as the paper compares means."""
    each = table[MERCURY] / table[rival]
    ahead = int((each > 1).sum())
    return Number(
        float(table[MERCURY].mean() / table[rival].mean()),
        beside=f"ahead in {ahead} of {formats.number_of(len(table), 'network')}, "
        f"{formats.between(formats.ratio(each.min()), formats.ratio(each.max()))}",
    )


def bounds_found(
    folders: Mapping[str, Path],
    rivals: Mapping[str, str],
    numbers: Mapping[str, Number],
    identity: str,
    why: str,
) -> Found:
    """A claim's numbers, with MERCURY and the rivals network by network."""
    table = bounds_of(folders)
    names = [str(name) for name in table.index]
    series = {words: table[way].tolist() for way, words in ({MERCURY: "MERCURY"} | dict(rivals)).items()}
    title = "times fewer multiply-accumulates"
    return Found(
        numbers, why, _setting(folders),
        [
            Picture(
                identity, "What is left to multiply", "Inference; a bound takes its overheads as free.",
                bars(names, series, title),
            )
        ],
        [tabulated("network", names, series, formats.ratio)],
    )  # fmt: skip


def rival_found(folders: Mapping[str, Path], rival: str, words: str, identity: str) -> Found:
    """The claim that MERCURY is ahead of one bound."""
    table = bounds_of(folders)
    means, ahead = table.mean(), over(table, rival)
    return bounds_found(
        folders, {rival: words}, {"ahead": ahead, "above": ahead}, identity,
        f"MERCURY leaves {formats.ratio(means[MERCURY])} fewer on average, {words} "
        f"{formats.ratio(means[rival])}; the networks part widely.",
    )  # fmt: skip


def _setting(folders: Mapping[str, Path]) -> list[tuple[str, str]]:
    summaries = [read_json_object(path / "bounds.json") for path in folders.values()]
    first = summaries[0]
    return [
        ("Networks", "; ".join(f"{one['model']}, {one['weights']}" for one in summaries)),
        (
            "Images",
            f"{first['images']} of {first['data']}, {first['image_size']} x {first['image_size']} pixels",
        ),
        (
            "Similarity",
            f"{first['bits']}-bit signatures; {first['mcache']['entries']} entries in sets of "
            f"{first['mcache']['ways']}",
        ),
    ]
