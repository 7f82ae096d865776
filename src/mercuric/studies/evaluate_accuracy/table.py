"""How does a trained network's accuracy look with reuse and without?"""

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from mercuric.page import formats


def evaluated_table(found: dict[str, Any]) -> Table:
    """Two rows, with reuse and without; top-5 where there are more than five classes."""
    reuse = found["reuse"]
    table = Table(
        box=SIMPLE_HEAD,
        caption=f"{found['model']}, {found['weights']}: {found['images']:,} test images of {found['data']}; "
        f"{reuse['bits']} bits, every layer reuses; both forms tell {formats.percent(found['alike'])} alike",
    )
    shares = list(found["without"])
    table.add_column("")
    for name in (*(share.replace("top", "top-") for share in shares), "hits", "of which zero"):
        table.add_column(name, justify="right")
    zero = formats.percent(found["hit_rate"] - found["similar_rate"])
    rows = {
        "with reuse": (found["with_reuse"], [formats.percent(found["hit_rate"]), zero]),
        "without": (found["without"], ["", ""]),
    }
    for name, (accuracy, hits) in rows.items():
        table.add_row(name, *(f"{100 * accuracy[share]:.2f} %" for share in shares), *hits)
    return table
