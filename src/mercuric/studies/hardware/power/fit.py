"""By which few numbers do the paper's eight rows of power go? A fit, in sample."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mercuric.accelerator.energy.virtex7 import DESIGNS

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Fit:
    """Least squares over the paper's rows.

    Attributes:
        terms: what each coefficient is of.
        coefficients: in watts.
        residuals: paper less fit, row by row, in watts.
        left_out: the same where the row was not fitted; NaN where the other rows don't determine the fit.
    """

    terms: tuple[str, ...]
    coefficients: tuple[float, ...]
    residuals: tuple[float, ...]
    left_out: tuple[float, ...]


def fits(counted: Mapping[tuple[int, int], float] | None = None) -> list[Fit]:
    """Forms of two to four coefficients for the totals of Tables II(b) to IV(b).

    Args:
        counted: our power of each design, which one form has as its only term; None: without that form.
    """
    sets = np.array([one.sets or 0 for one in DESIGNS], dtype=float)
    entries = sets * np.array([one.ways or 0 for one in DESIGNS])
    terms = {
        "1": np.ones(len(DESIGNS)),
        "MERCURY": (sets > 0).astype(float),
        "sets": sets,
        "entries": entries,
        "registers": np.array([one.resources["registers"] for one in DESIGNS]),
        "LUTs": np.array([one.resources["luts"] for one in DESIGNS]),
    }
    forms: list[tuple[str, ...]] = [
        ("1", "registers"),
        ("1", "registers", "LUTs"),
        ("1", "sets", "entries"),
        ("1", "MERCURY", "sets", "entries"),
    ]
    if counted is not None:
        terms["ours"] = np.array([counted[one.sets or 0, one.ways or 0] for one in DESIGNS])
        forms.append(("1", "ours"))
    return [_fit(form, np.stack([terms[term] for term in form], axis=1)) for form in forms]


def fits_table(found: Sequence[Fit]) -> pd.DataFrame:
    """A form a row: coefficients, and what is left in milliwatts, fitted and left out."""
    return pd.DataFrame(
        {
            "form": " + ".join(one.terms),
            "coefficients": " ".join(f"{value:.4g}" for value in one.coefficients),
            "rms_mw": _rms(one.residuals),
            "largest_mw": 1000 * max(map(abs, one.residuals)),
            "left_out_rms_mw": _rms(one.left_out),
            "left_out_largest_mw": 1000 * float(np.nanmax(np.abs(one.left_out))),
            "undetermined": int(np.isnan(one.left_out).sum()),
        }
        for one in found
    )


def unlisted() -> tuple[float, ...]:
    """Of each row, the total less the columns that the paper lists, in watts."""
    return tuple(one.total_watts - sum(one.watts.values()) for one in DESIGNS)


def _fit(terms: tuple[str, ...], columns: Numbers) -> Fit:
    totals = np.array([one.total_watts for one in DESIGNS])
    coefficients = _solve(columns, totals)
    left_out = []
    for row in range(len(totals)):
        others = np.arange(len(totals)) != row
        known = np.linalg.matrix_rank(columns[others]) == columns.shape[1]
        guess = columns[row] @ _solve(columns[others], totals[others]) if known else np.nan
        left_out.append(float(totals[row] - guess))
    residuals = totals - columns @ coefficients
    return Fit(terms, tuple(coefficients.tolist()), tuple(residuals.tolist()), tuple(left_out))


def _solve(columns: Numbers, totals: Numbers) -> Numbers:
    scale = np.abs(columns).max(axis=0)
    solved: Numbers = np.linalg.lstsq(columns / scale, totals, rcond=None)[0] / scale
    return solved


def _rms(values: Sequence[float]) -> float:
    return 1000 * float(np.sqrt(np.nanmean(np.square(values))))
