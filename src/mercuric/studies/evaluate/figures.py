"""How are energies, times and levels written?"""

from mercuric.accelerator.energy.energies import Level
from mercuric.page import chart, formats

LEVEL_NAMES: dict[Level, str] = {
    "mac": "MAC",
    "register_file": "register files",
    "pe_to_pe": "PE to PE",
    "buffer": "global buffer",
    "dram": "DRAM",
    "link": "between arrays",
    "mcache_tag": "MCACHE tags",
    "mcache_data": "MCACHE results",
    "signature_table": "Signature Table",
    "hitmap": "Hitmap",
}
LEVEL_COLOURS: dict[Level, str] = {
    "mac": chart.MERCURY,
    "register_file": chart.ZERO_HIT,
    "pe_to_pe": "#4f9d7a",
    "buffer": chart.MAU,
    "dram": chart.DENSE,
    "link": "#6b6b6b",
    "mcache_tag": chart.SIGNATURE,
    "mcache_data": chart.LOSS,
    "signature_table": "#9a6fb8",
    "hitmap": chart.MNU,
}
DESIGN_NAMES = {"baseline": "dense", "mercury": "MERCURY"}
ACCELERATOR_COLOURS = (chart.MERCURY, chart.MNU, "#4f9d7a", "#9a6fb8", chart.LOSS, chart.MAU)

_JOULES = ((1e12, "J"), (1e9, "mJ"), (1e6, "uJ"), (1e3, "nJ"), (1.0, "pJ"))


def energy(value: float, unit: str) -> str:
    """An energy in three digits: ``12.3 mJ``, or ``1.23 GMAC`` where costs are relative to one."""
    if unit != "pJ":
        count = formats.count(value)
        return f"{count}{unit}" if count[-1].isalpha() else f"{count} {unit}"
    size, name = next((pair for pair in _JOULES if value >= pair[0]), _JOULES[-1])
    return f"{value / size:.3g} {name}"


def seconds(value: float) -> str:
    """A time in three digits: ``1.23 ms``."""
    for size, name in ((1.0, "s"), (1e-3, "ms")):
        if value >= size:
            return f"{value / size:.3g} {name}"
    return f"{value * 1e6:.3g} us"


def saved(baseline: float, mercury: float) -> str:
    """What MERCURY saves of the baseline; negative where it costs."""
    return formats.percent(1 - mercury / baseline if baseline else 0.0)
