"""What does the study of speed-ups say, one dataflow at a time?"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from mercuric.page import formats
from mercuric.page.chart import Picture
from mercuric.page.table import SortableTable, words
from mercuric.page.table import numbers as number_column
from mercuric.studies.reproduce.found import Found, Number
from mercuric.studies.reproduce.pictures import PAPER, bars
from mercuric.studies.reproduce.studied import at, setting_of_sweep
from mercuric.studies.speedups.study import PUBLISHED, PUBLISHED_MEAN

MEAN = "mean"
_SEEDS = "speedups-seed-"
_COLUMNS = {
    "synchronous_paper": "paper's timing", "synchronous_fair": "fair timing",
    "asynchronous_paper": "asynchronous", "no_hits": "no hits",
}  # fmt: skip


def speedups_of(folders: Mapping[str, Path], dataflow: str) -> pd.DataFrame:
    """A row a network, the mean last; ``low`` and ``high`` are over the runs of all seeds."""
    table = _read(folders["speedups"], dataflow)
    others = [_read(path, dataflow)["synchronous_paper"] for path in seeds_of(folders)]
    all_ = pd.concat([table["synchronous_paper"], *others], axis=1)
    return table.assign(low=all_.min(axis=1), high=all_.max(axis=1), several=bool(others))


def seeds_of(folders: Mapping[str, Path]) -> list[Path]:
    """The runs of other seeds."""
    return [path for name, path in folders.items() if name.startswith(_SEEDS)]


def network(table: pd.DataFrame, name: str) -> Number:
    """A network's speed-up, or the mean's; nothing where it did not run."""
    if name not in table.index:
        return Number(None)
    paper, fair, low, high = (
        at(table, name, column) for column in ("synchronous_paper", "synchronous_fair", "low", "high")
    )
    return Number(paper, fair, (low, high) if table["several"].any() else None)


def dataflow_found(
    folders: Mapping[str, Path], table: pd.DataFrame, numbers: Mapping[str, Number], identity: str, why: str
) -> Found:
    """A claim of one dataflow: its numbers, with the picture and the table of all networks."""
    dataflow = str(table["dataflow"].iloc[0])
    names = [str(name) for name in table.index]
    published = {name: PUBLISHED.get((name, dataflow)) for name in names} | {MEAN: PUBLISHED_MEAN[dataflow]}
    series = {
        PAPER: [published[name] for name in names],
        **{words_: table[column].tolist() for column, words_ in list(_COLUMNS.items())[:2]},
    }
    note = (
        "Baseline's cycles over MERCURY's, a training step; the source gives these networks' numbers alone."
    )
    columns = [
        words("network", names), number_column("source", [published[name] for name in names], formats.ratio),
        number_column("hits", table["hit_rate"], formats.percent),
        *(number_column(words_, table[column], formats.ratio) for column, words_ in _COLUMNS.items()),
    ]  # fmt: skip
    return Found(
        numbers, why, setting_of_sweep(folders["speedups"]),
        [Picture(identity, f"Speed-up, {dataflow} stationary", note, bars(names, series, "speed-up"))],
        [SortableTable(columns)],
    )  # fmt: skip


def systolic_found(folders: Mapping[str, Path], dataflow: str, largest: str, identity: str) -> Found:
    """A claim of an array that folds: the mean, and the network that gains most in the source."""
    table = speedups_of(folders, dataflow)
    mean = network(table, MEAN)
    numbers = {"mean": mean, largest: network(table, largest), "most": most(table, largest)}
    return dataflow_found(
        folders, table, numbers, identity,
        f"The baseline decides: {formats.ratio(mean.ours)} against the array channel by channel, "
        f"{formats.ratio(mean.fair)} where the folds of both sides overlap.",
    )  # fmt: skip


def _read(folder: Path, dataflow: str) -> pd.DataFrame:
    table = pd.read_csv(folder / "speedups.csv")
    return table[table["dataflow"] == dataflow].set_index("model")


def most(table: pd.DataFrame, name: str) -> Number:
    """Whether a network gains most of all; nothing where it did not run."""
    gains = table["synchronous_paper"].drop(MEAN, errors="ignore")
    if name not in gains:
        return Number(None)
    return Number(
        float(gains.idxmax() == name), beside=f"{gains.idxmax()} does, {formats.ratio(gains.max())}"
    )
