"""Forward convolutions on a weight-stationary array: are there fewer cycles?"""

from collections.abc import Mapping
from pathlib import Path

from mercuric.page import formats
from mercuric.page.chart import Picture
from mercuric.studies.reproduce.found import Found, Number
from mercuric.studies.reproduce.pictures import bars, tabulated
from mercuric.studies.reproduce.studied import setting_of_sweep, sweep_of


def found(folders: Mapping[str, Path]) -> Found:
    """Baseline over MERCURY, with the signatures' cycles and without."""
    results = sweep_of(folders["weight-stationary"])
    rows = results[results["kind"] == "conv"]
    sums = rows.groupby("model", sort=False)[
        [
            "cycles_baseline",
            "cycles_mercury",
            "cycles_signature",
            "fair_baseline",
            "fair_mercury",
            "fair_signature",
        ]
    ].sum()
    whole, fair = (sums[f"{prefix}_baseline"] / sums[f"{prefix}_mercury"] for prefix in ("cycles", "fair"))
    free, fair_free = (
        sums[f"{prefix}_baseline"] / (sums[f"{prefix}_mercury"] - sums[f"{prefix}_signature"])
        for prefix in ("cycles", "fair")
    )
    names = [str(name) for name in sums.index]
    series = {
        "signatures free": free.tolist(),
        "signatures counted": whole.tolist(),
        "counted, fair timing": fair.tolist(),
    }
    return Found(
        {
            "free": Number(free.min(), fair_free.min(), beside=_range(free.tolist())),
            "whole": Number(whole.min(), fair.min(), beside=_range(whole.tolist())),
        },
        "Signatures are "
        f"{formats.percent(float((sums['cycles_signature'] / sums['cycles_mercury']).max()), 0)} of "
        "MERCURY's cycles at most.",
        setting_of_sweep(folders["weight-stationary"]),
        [
            Picture(
                "scale-sim-cycles",
                "Speed-up of the convolutions",
                "Forward, weight stationary.",
                bars(names, series, "speed-up"),
            )
        ],
        [tabulated("network", names, series, formats.ratio)],
    )


def _range(values: list[float]) -> str:
    return formats.between(formats.ratio(min(values)), formats.ratio(max(values)))
