"""A direct-mapped cache: does it find as much?"""

from collections.abc import Mapping
from pathlib import Path

from mercuric.page import formats
from mercuric.page.chart import Picture
from mercuric.studies.reproduce.found import Found, Number
from mercuric.studies.reproduce.pictures import bars, tabulated
from mercuric.studies.reproduce.studied import setting_of_sweep, sweep_of
from mercuric.studies.sweep.study import combination_totals


def found(folders: Mapping[str, Path]) -> Found:
    """Hits and speed-ups with one way and with sixteen."""
    totals = combination_totals(sweep_of(folders["direct-mapped"]), ["ways"])
    hits, gains, fair = (
        totals.pivot_table(index="model", columns="ways", values=value, sort=False)
        for value in ("hit_rate", "paper_adapted", "fair_adapted")
    )
    names = [str(name) for name in hits.index]
    series = {formats.number_of(ways, "way"): hits[ways].tolist() for ways in (1, 16)}
    return Found(
        {
            "hits": Number(float(hits[1].sum() / hits[16].sum())),
            "saves": Number(
                float((gains[1] > 1).mean() > 0.5),
                float((fair[1] > 1).mean() > 0.5),
                beside=formats.between(formats.ratio(gains[1].min()), formats.ratio(gains[1].max())),
            ),
        },
        f"One way finds {formats.percent(float(hits[1].mean()))} of the vectors, sixteen "
        f"{formats.percent(float(hits[16].mean()))}: in small images few "
        "signatures fall into one set.",
        setting_of_sweep(folders["direct-mapped"]),
        [
            Picture(
                "software-direct-mapped",
                "Hits by associativity",
                "Share of all vectors.",
                bars(names, series, "hits"),
            )
        ],
        [tabulated("network", names, series, formats.percent)],
    )
