"""Families of networks: which array takes least energy?"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from mercuric.files.reading import read_json_object
from mercuric.page import formats
from mercuric.page.chart import Picture
from mercuric.studies.reproduce.arrays import OUTPUT, ROW, SETTING, WEIGHT, energies
from mercuric.studies.reproduce.found import Found, Number
from mercuric.studies.reproduce.pictures import bars, tabulated


def found(folders: Mapping[str, Path]) -> Found:
    """Energy of whole networks, one image, as shares of the weight-stationary array's."""
    tables = {
        str(read_json_object(path / "evaluation.json")["model"]): energies(path, 1)
        for path in folders.values()
    }
    wins = {name: (table[OUTPUT] < table[WEIGHT]).mean() for name, table in tables.items()}
    totals = pd.DataFrame({name: table[[ROW, WEIGHT, OUTPUT]].sum() for name, table in tables.items()}).T
    numbers = {
        "most": Number(
            float(min(wins.values())),
            beside=formats.listing([f"{name} {formats.percent(share, 0)}" for name, share in wins.items()]),
        ),
        "row": Number(
            float((totals.idxmin(axis=1) == ROW).all()),
            beside=f"{int((totals.idxmin(axis=1) == ROW).sum())} of {len(totals)}",
        ),
    }
    shares = (formats.percent(pick(wins.values()), 0) for pick in (min, max))
    names = list(tables)
    series = {array: (totals[array] / totals[WEIGHT]).tolist() for array in (ROW, WEIGHT, OUTPUT)}
    return Found(
        numbers,
        f"Output stationary wins {formats.between(*shares)} of a network's layers.",
        SETTING,
        [
            Picture(
                "mapping-families",
                "Energy of a network",
                "One image; weight stationary is 1.",
                bars(names, series, "energy ratio"),
            )
        ],
        [tabulated("network", names, series, formats.ratio)],
    )
