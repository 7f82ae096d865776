"""Which form is ahead at a share of dense's seconds, and by more than seeds scatter?"""

from math import isfinite, nan
from statistics import mean, stdev
from typing import Any, Literal

import pandas as pd

from mercuric.studies.schedule.forms import DENSE

Standing = Literal["ahead", "level", "behind"]


def ranked(rows: pd.DataFrame, classes: int) -> pd.DataFrame:
    """A row a share and form, the most accurate of each share first.

    A training that diverged knows nothing: it counts as one that guesses, at an accuracy of 1 / classes.

    Args:
        rows: a training each: ``form``, ``share``, ``seed``, ``accuracy`` (None where it diverged),
            ``steps``, ``seconds`` and ``filled``.
        classes: of the data.

    Returns:
        ``share``, ``rank``, ``form``, ``seeds``, ``diverged`` (how many seeds); means of ``accuracy``,
        ``seconds``, ``filled`` and ``steps``; ``spread``, the accuracy's standard deviation; ``gain``, the
        mean over seeds of the accuracy less dense's of the same seed and seconds, and ``gain_spread``.
        Spreads over one seed, and gains where dense was not trained, are NaN.
    """
    judged = rows.assign(counted=rows["accuracy"].astype(float).fillna(1 / classes))
    dense = {
        (row["share"], row["seed"]): row["counted"] for _, row in judged.iterrows() if row["form"] == DENSE
    }
    found = [
        {"share": share, "form": form, **_over_seeds(group, dense)}
        for (share, form), group in judged.groupby(["share", "form"], sort=False)
    ]
    table = pd.DataFrame(found, columns=["share", "form", *_FIGURES])
    table = table.sort_values(
        ["share", "accuracy"], ascending=[True, False], kind="stable", ignore_index=True
    )
    table.insert(1, "rank", table.groupby("share")["accuracy"].rank(method="min", ascending=False))
    return table


_FIGURES = (
    "seeds", "diverged", "accuracy", "spread", "gain", "gain_spread", "steps", "seconds", "filled",
)  # fmt: skip


def _over_seeds(rows: pd.DataFrame, dense: dict[tuple[Any, Any], float]) -> dict[str, float]:
    gains = [row["counted"] - dense.get((row["share"], row["seed"]), nan) for _, row in rows.iterrows()]
    return {
        "seeds": len(rows),
        "diverged": int(rows["accuracy"].isna().sum()),
        "accuracy": rows["counted"].mean(),
        "spread": _spread(rows["counted"].tolist()),
        "gain": mean(gains),
        "gain_spread": _spread(gains),
        **{name: rows[name].mean() for name in ("steps", "seconds", "filled")},
    }


def standing(row: "pd.Series[Any]") -> Standing:
    """Where a form stands against dense training of the same seconds: level within the spread over seeds."""
    gain, spread = row["gain"], row["gain_spread"]
    if not isfinite(gain) or abs(gain) <= (spread if isfinite(spread) else 0):
        return "level"
    return "ahead" if gain > 0 else "behind"


def winners(table: pd.DataFrame) -> pd.DataFrame:
    """The first of each share; of those that are alike the one that was named first."""
    return table.groupby("share").head(1)


def _spread(values: list[float]) -> float:
    return stdev(values) if len(values) > 1 and all(map(isfinite, values)) else nan
