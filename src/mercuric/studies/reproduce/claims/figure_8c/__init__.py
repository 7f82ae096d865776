"""Fig. 8c: how much faster are signatures whose bits overlap?"""

from collections.abc import Mapping
from pathlib import Path

from mercuric.accelerator.dataflows.dot_product import Pace
from mercuric.page import formats
from mercuric.page.chart import Picture
from mercuric.studies.reproduce.found import Found, Number
from mercuric.studies.reproduce.pictures import bars, tabulated
from mercuric.studies.reproduce.studied import setting_of_sweep, sweep_of

SIDES = (3, 5, 7, 11)
BITS = 1000


def found(folders: Mapping[str, Path]) -> Found:
    """The closed form for windows of several sides, and a whole network's signatures."""
    results = sweep_of(folders["pipelining"])
    cycles = results.groupby("pipelined_signatures")["cycles_signature"].sum()
    lone, overlapped = Pace.lone(3, 3, False), Pace.pipelined(3, 3, False)
    numbers = {
        "lone": Number(lone.stream(1)),
        "first": Number(overlapped.stream(1)),
        "next": Number(overlapped.interval),
        "network": Number(float(cycles[False] / cycles[True])),
    }
    windows = [f"{side} x {side}" for side in SIDES]
    series = {"overlapped": [_ratio(side) for side in SIDES]}
    return Found(
        numbers,
        "The circuit counts the same cycles (mercuric hardware verilog); a network's last bits of a "
        "scope wait for the "
        "sums to leave.",
        setting_of_sweep(folders["pipelining"]),
        [
            Picture(
                "figure-8c", "Speed-up of signatures", f"{BITS} signature bits of one PE set, without a "
                    "MAC unit.",
                bars(windows, series, "times faster"),
            )
        ],
        [tabulated("window", windows, series, formats.ratio)],
    )  # fmt: skip


def _ratio(side: int) -> float:
    return Pace.lone(side, side, False).stream(BITS) / Pace.pipelined(side, side, False).stream(BITS)
