"""What do the activities in a folder say? Tables and verdicts, for page, terminal and JSON."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from mercuric.accelerator.energy.cells import CELLS_45NM
from mercuric.accelerator.energy.virtex7 import DESIGNS, design, design_name
from mercuric.files.json_text import json_text, records
from mercuric.files.writing import write_text
from mercuric.rtl.activity import Activity
from mercuric.studies.hardware.power.config import PowerConfig
from mercuric.studies.hardware.power.fit import fits, fits_table, unlisted
from mercuric.studies.hardware.power.layer import PHOTOGRAPH
from mercuric.studies.hardware.power.study import states_of
from mercuric.studies.hardware.power.verdicts import as_printed, verdicts, verdicts_table
from mercuric.studies.hardware.power.watts import RESULTS, Chip, Results, power_table
from mercuric.studies.machine import machine

SUMMARY = "power.json"


def summarize(
    activities: dict[tuple[int, int], Activity], config: PowerConfig, chip: Chip, folder: Path
) -> dict[str, Any]:
    """Write ``power.json`` and ``power.csv``; return what the first holds."""
    designs = pd.concat([_designs(activities, config, chip, results) for results in RESULTS])
    found = fits(_counted(activities, config, chip))
    summary = {
        "config": config.model_dump(mode="json"),
        "photograph": PHOTOGRAPH.name,
        "pe_sets": chip.pe_sets,
        "filters": chip.filters,
        "megahertz": chip.megahertz,
        "cells": CELLS_45NM.model_dump(mode="json"),
        "memories": str(chip.memories),
        "states": {design_name(*mcache): counts for mcache, counts in states_of(config).items()},
        "designs": records(designs.reset_index(drop=True)),
        "fits": records(fits_table(found)),
        "residuals_mw": {" + ".join(one.terms): [1000 * left for left in one.residuals] for one in found},
        "unlisted_watts": unlisted(),
        "verdicts": records(verdicts_table(verdicts(activities, config, chip))),
        "machine": machine(),
    }
    write_text(folder / SUMMARY, json_text(summary))
    write_text(folder / "power.csv", designs.to_csv(index=False))
    return summary


def _designs(
    activities: dict[tuple[int, int], Activity], config: PowerConfig, chip: Chip, results: Results
) -> pd.DataFrame:
    """A design a row: our watts by kind, what they are at the paper's scale, and the paper's."""
    table = power_table(activities, config, replace(chip, results=results))
    printed = as_printed(table)
    keys = list(zip(table["sets"], table["ways"], strict=True))
    paper = [design(sets or None, ways or None) for sets, ways in keys]
    table.insert(0, "design", [design_name(*key) for key in keys])
    table.insert(1, "results", results)
    base = table["dynamic"].iloc[0]
    return table.assign(
        ratio=table["dynamic"] / base,
        printed=[printed[key] for key in keys],
        paper=[float("nan") if one is None else one.total_watts for one in paper],
    )


def _counted(
    activities: dict[tuple[int, int], Activity], config: PowerConfig, chip: Chip
) -> dict[tuple[int, int], float] | None:
    """Our power of the paper's designs; None where some were not run."""
    table = power_table(activities, config, chip)
    keys = zip(table["sets"], table["ways"], strict=True)
    known = dict(zip(keys, table["dynamic"], strict=True))
    return known if {(one.sets or 0, one.ways or 0) for one in DESIGNS} <= set(known) else None
