"""What did adaptation change, and when? ``adaptation.csv``, with the layers and steps of its run."""

from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mercuric.errors import ArgumentError, MercuricError
from mercuric.files.reading import MOST_LOG, parse_json, read_bytes
from mercuric.studies.train.config import LAYERS

_COLUMNS = ("seed", "step", "layer", "what", "before", "after")


@dataclass(frozen=True)
class AdaptedSeed:
    """One seed's training.

    Attributes:
        seed: the seed.
        bits: (step, signature length from that step on), from step 0.
        ends: layer to the step after which it turned off; None: never, 0: it never reused.
    """

    seed: int
    bits: list[tuple[int, int]]
    ends: dict[str, int | None]

    def bits_at(self, step: int) -> int:
        """Signature length after ``step`` steps."""
        return self.bits[bisect_right(self.bits, step, key=lambda change: change[0]) - 1][1]


@dataclass(frozen=True)
class AdaptationLog:
    """All seeds of a run.

    Attributes:
        seeds: one an entry, at least one.
        changes: a row a change: seed, step, layer ("" for the bits of all), what, before, after.
        last_step: steps of the training.
    """

    seeds: list[AdaptedSeed]
    changes: pd.DataFrame
    last_step: int

    @property
    def layers(self) -> list[str]:
        """Names of the layers, in the network's order."""
        return list(self.seeds[0].ends)


def read_adaptation(folder: Path) -> AdaptationLog | None:
    """Read a run's changes; None where it has no ``adaptation.csv``.

    Raises:
        MercuricError: that file, or ``layers.csv`` or ``metrics.jsonl``, is missing or broken; names it.
    """
    path = folder / "adaptation.csv"
    if not path.exists():
        return None
    changes = _read_table(path, _COLUMNS)
    run = next((run for run in ("mercury", "reuse") if (folder / LAYERS[run]).exists()), "reuse")
    layers = _read_table(folder / LAYERS[run], ("seed", "layer", "bits", "on"))
    _check(path, changes, layers, LAYERS[run])
    steps = [_last_step(folder / "metrics.jsonl", run), *changes["step"].tolist()]
    seeds = [
        _adapted(int(str(seed)), rows, changes[changes["seed"] == seed])
        for seed, rows in layers.groupby("seed")
    ]
    return AdaptationLog(seeds, changes, max(steps))


def _read_table(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    try:
        # "null" or "NA" may be a layer's name
        table = pd.read_csv(path, keep_default_na=False, dtype={"layer": str, "on": str, "what": str})
        missing = [name for name in columns if name not in table.columns]
        if missing:
            raise ArgumentError(f"the column {missing[0]} is missing")
        numbers = [name for name in columns if name not in ("layer", "what", "on")]
        return table[list(columns)].astype(dict.fromkeys(numbers, "int64"))
    except FileNotFoundError as error:
        raise MercuricError(
            f"{path} is missing: {path.parent} is not the folder of a finished run"
        ) from error
    except (ValueError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise MercuricError(f"{path} is broken: {' '.join(str(error).split())}") from error


def _check(path: Path, changes: pd.DataFrame, layers: pd.DataFrame, name: str) -> None:
    if layers.empty:
        raise MercuricError(f"{path.with_name(name)} is broken: it has no layer")
    known = set(zip(layers["seed"], layers["layer"], strict=True))
    for line, row in enumerate(changes.itertuples(index=False), start=2):
        if row.what not in ("bits", "off"):
            raise MercuricError(
                f"{path} is broken: what is {row.what!r} in line {line}, expected bits or off"
            )
        if row.what == "off" and (row.seed, row.layer) not in known:
            raise MercuricError(
                f"{path} is broken: line {line} names layer {row.layer!r} of seed {row.seed}, which "
                f"{name} does not have"
            )


def _adapted(seed: int, layers: pd.DataFrame, changes: pd.DataFrame) -> AdaptedSeed:
    grown = changes[changes["what"] == "bits"].sort_values("step")
    off = changes[changes["what"] == "off"].set_index("layer")["step"].to_dict()
    start = int(grown["before"].iloc[0]) if len(grown) else int(layers["bits"].max())
    grew = [(int(step), int(bits)) for step, bits in zip(grown["step"], grown["after"], strict=True)]
    ends: dict[str, int | None] = {}
    for layer, on in zip(layers["layer"], layers["on"], strict=True):
        still_on = on.strip().lower() in ("true", "1", "1.0")
        ends[layer] = int(off[layer]) if layer in off else None if still_on else 0
    return AdaptedSeed(seed, [(0, start), *grew], ends)


def _last_step(path: Path, run: str) -> int:
    if not path.is_file():
        raise MercuricError(f"{path} is missing: {path.parent} is not the folder of a finished run")
    last = 0
    for line in read_bytes(path, MOST_LOG).decode("utf-8", errors="replace").splitlines():
        try:
            event: Any = parse_json(line, path)
        except ValueError:
            continue  # cut off by a kill; the report names any other broken line
        if isinstance(event, dict) and event.get("run") == run and isinstance(event.get("step"), int):
            last = max(last, event["step"])
    return last
