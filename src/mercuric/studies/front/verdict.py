"""Is training with directions more accurate than dense training of the same seconds?"""

from math import isfinite, nan
from statistics import mean, stdev
from typing import Any, Literal

import numpy as np
import pandas as pd

from mercuric.studies.front.forms import DENSE

NEAR = 0.9
"""Share of the shortest dense schedule's seconds from which on a training is held against it."""


def dense_at(dense: pd.DataFrame, seconds: float) -> float:
    """Dense training's accuracy in so many seconds, on a straight line between two schedules of one seed.

    Beyond the longest schedule it stays what it was. Up to a tenth below the shortest one it is that
    one's, which had more time; below that nothing is known: NaN.
    """
    ordered = dense.sort_values("seconds")
    known = ordered["seconds"].to_numpy()
    if not len(known) or seconds < NEAR * known[0]:
        return nan
    return float(np.interp(seconds, known, ordered["accuracy"].to_numpy()))


def over_seeds(table: pd.DataFrame) -> pd.DataFrame:
    """A row a form, over its seeds.

    Args:
        table: a row a training, of ``bench_front_training``.

    Returns:
        ``group``, ``setting``, ``form``, ``seeds``, ``steps``; the mean ``seconds``, ``accuracy`` and
        ``kept``; ``spread``, the standard deviation of the accuracy; ``dense_accuracy``, of dense
        training in each seed's same seconds (:func:`dense_at`); ``gain``, the accuracy less that, and
        ``gain_spread``. Spreads over one seed, and what is not known of dense training, are NaN.
    """
    dense = {seed: rows[rows["group"] == DENSE] for seed, rows in table.groupby("seed")}
    found = []
    for form, rows in table.groupby("form", sort=False):
        group = rows["group"].iloc[0]
        same = [
            nan if group == DENSE else dense_at(dense[row["seed"]], row["seconds"])
            for _, row in rows.iterrows()
        ]
        gains = [one - other for one, other in zip(rows["accuracy"], same, strict=True)]
        found.append(
            {
                "group": group, "setting": rows["setting"].iloc[0], "form": form, "seeds": len(rows),
                "steps": rows["steps"].iloc[0], "seconds": rows["seconds"].mean(),
                "accuracy": rows["accuracy"].mean(), "spread": _spread(rows["accuracy"].tolist()),
                "kept": rows["kept"].mean(), "dense_accuracy": mean(same), "gain": mean(gains),
                "gain_spread": _spread(gains),
            }
        )  # fmt: skip
    return pd.DataFrame(found)


def verdicts(table: pd.DataFrame) -> list[str]:
    """A sentence for each form with directions, of :func:`over_seeds`' rows."""
    dense = table[table["group"] == DENSE].sort_values("seconds")
    return [_verdict(row, dense) for _, row in table.iterrows() if row["group"] != DENSE]


def _verdict(row: "pd.Series[Any]", dense: pd.DataFrame) -> str:
    form, seconds, accuracy, same, gain, spread = (
        row[key] for key in ("form", "seconds", "accuracy", "dense_accuracy", "gain", "gain_spread")
    )
    reached = f"{form}: {accuracy:.2%} in {seconds:.0f} s"
    if not isfinite(same):
        shortest = ""
        if not dense.empty:
            least = dense.iloc[0]
            shortest = f": the shortest took {least['seconds']:.0f} s and reached {least['accuracy']:.2%}"
        return f"{reached}; not with every seed was a dense schedule as short{shortest}."
    seeds = (
        "one seed"
        if row["seeds"] == 1
        else f"standard deviation {100 * spread:.2f} over {row['seeds']} seeds"
    )
    place = standing(row)
    if place == "level":
        judged = f"level with it ({100 * gain:+.2f} points, {seeds})"
    else:
        where = "ahead of" if place == "ahead" else "behind"
        judged = f"{where} it by {abs(100 * gain):.2f} points ({seeds})"
    return f"{reached}; dense training of the same seconds {same:.2%} (between its schedules): {judged}."


def standing(row: "pd.Series[Any]") -> Literal["ahead", "level", "behind"]:
    """Where a form stands against dense training of the same seconds: level within the spread over seeds."""
    gain, spread = row["gain"], row["gain_spread"]
    if abs(gain) <= (spread if isfinite(spread) else 0):
        return "level"
    return "ahead" if gain > 0 else "behind"


def _spread(values: list[float]) -> float:
    return stdev(values) if len(values) > 1 and all(map(isfinite, values)) else nan
