"""What did each layer do, averaged over the seeds?"""

from pathlib import Path

import pandas as pd

from mercuric.errors import ArgumentError

COUNTS = ("vectors", "HIT", "MAU", "MNU", "zero", "zero_hits")
CYCLES = (
    "cycles_baseline",
    "cycles_mercury",
    "cycles_signature",
    "fair_baseline",
    "fair_mercury",
    "fair_signature",
)
COLUMNS = ("seed", "layer", "kind", "bits", "error", "on", *COUNTS, *CYCLES)
_TRUTHS = {"true": 1.0, "1": 1.0, "1.0": 1.0, "false": 0.0, "0": 0.0, "0.0": 0.0}


def read_layers(path: Path) -> pd.DataFrame:
    """The rows of ``layers.csv``: "null" or "NA" may be a layer's name, only figures may be absent.

    Raises:
        ValueError: it is no CSV.
        OSError: it can't be read.
    """
    absent = ["", "nan", "NaN"]
    return pd.read_csv(
        path,
        keep_default_na=False,
        na_values=dict.fromkeys(("error", "dense_ms", "reuse_ms"), absent),
        dtype={"layer": str, "kind": str},
    )


def average_over_seeds(layers: pd.DataFrame) -> pd.DataFrame:
    """One row a layer, in the order the layers come in.

    Returns:
        layer, kind, the means over the seeds of bits, error, on, counts and cycles, and derived from
        these means: similar_hit, zero_hit, mau, mnu (shares of the layer's vectors), speedup and
        fair_speedup (baseline cycles over MERCURY's), loses (MERCURY takes more cycles).

    Raises:
        ValueError: a column is missing, a cell is no number, or the counts contradict each other.
    """
    checked = _numbers(layers)
    _check_counts(checked)
    groups = checked.groupby("layer", sort=False)
    means = groups[["bits", "error", "on", *COUNTS, *CYCLES]].mean()
    means.insert(0, "kind", groups["kind"].first())
    averaged = means.reset_index()
    vectors = averaged["vectors"].where(averaged["vectors"] > 0)
    averaged["similar_hit"] = (averaged["HIT"] - averaged["zero_hits"]) / vectors
    averaged["zero_hit"] = averaged["zero_hits"] / vectors
    averaged["mau"] = averaged["MAU"] / vectors
    averaged["mnu"] = averaged["MNU"] / vectors
    for speedup, timing in (("speedup", "cycles"), ("fair_speedup", "fair")):
        mercury = averaged[f"{timing}_mercury"]
        averaged[speedup] = averaged[f"{timing}_baseline"] / mercury.where(mercury > 0)
    averaged["loses"] = averaged["cycles_mercury"] > averaged["cycles_baseline"]
    return averaged


def _numbers(layers: pd.DataFrame) -> pd.DataFrame:
    missing = [name for name in COLUMNS if name not in layers.columns]
    if missing:
        raise ArgumentError(f"the layers' column {missing[0]} is missing")
    checked = layers.astype({"layer": str, "kind": str})
    checked["on"] = checked["on"].astype(str).str.strip().str.lower().map(_TRUTHS)
    for name in ("bits", "error", *COUNTS, *CYCLES):
        numbers = pd.to_numeric(checked[name], errors="coerce")
        absent = checked[name].isna() if name == "error" else False
        _refuse(checked, ~(numbers >= 0) & ~pd.Series(absent, index=checked.index), f"has no valid {name}")
        checked[name] = numbers
    _refuse(checked, checked["on"].isna(), "has no valid on (expected True or False)")
    return checked


def _check_counts(layers: pd.DataFrame) -> None:
    total = layers["HIT"] + layers["MAU"] + layers["MNU"]
    _refuse(layers, (total - layers["vectors"]).abs() > 0.5, "has HIT + MAU + MNU different from vectors")
    _refuse(layers, layers["zero_hits"] > layers["HIT"], "has more zero_hits than HIT")
    for timing in ("cycles", "fair"):
        more = layers[f"{timing}_signature"] > layers[f"{timing}_mercury"]
        _refuse(layers, more, f"has more {timing}_signature than {timing}_mercury")


def _refuse(layers: pd.DataFrame, wrong: "pd.Series[bool]", what: str) -> None:
    if wrong.any():
        first = layers[wrong.to_numpy()].iloc[0]
        raise ArgumentError(f"layer {first['layer']} of seed {first['seed']} {what}")
