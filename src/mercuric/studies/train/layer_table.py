"""What did MERCURY do in each layer, as the page's table?"""

import pandas as pd

from mercuric.page import formats
from mercuric.page.table import SortableTable, numbers, words


def layer_table(layers: pd.DataFrame) -> SortableTable:
    """A layer a row, of the rows of ``average_over_seeds``."""
    count, percent, ratio = formats.count, formats.percent, formats.ratio
    speedup, fair = layers["speedup"], layers["fair_speedup"]
    columns = [
        numbers("#", range(1, len(layers) + 1), str, "position in the network"),
        words("layer", layers["layer"]),
        words("kind", layers["kind"]),
        numbers("vectors", layers["vectors"], count, "input vectors over the whole training"),
        numbers(
            "bits", layers["bits"], "{:.3g}".format, "signature bits at the end of training, mean over seeds"
        ),
        numbers(
            "similar", layers["similar_hit"], percent,
            "HITs of vectors similar to an earlier one, share of vectors",
        ),
        numbers("zero", layers["zero_hit"], percent, "HITs of all-zero vectors, share of vectors"),
        numbers("MAU", layers["mau"], percent, "misses whose result was kept, share of vectors"),
        numbers("MNU", layers["mnu"], percent, "misses that found their set full, share of vectors"),
        numbers("error", layers["error"], _error, "relative output error against the dense layer"),
        numbers("baseline", layers["cycles_baseline"], count, "baseline cycles, paper timing"),
        numbers(
            "MERCURY", layers["cycles_mercury"], count,
            "cycles with MERCURY, paper timing, signatures included",
        ),
        numbers(
            "signatures", layers["cycles_signature"], count, "cycles spent on signatures, paper timing"
        ),
        numbers("speed-up", speedup, ratio, "baseline over MERCURY, paper timing", speedup < 1),
        numbers("fair", fair, ratio, "baseline over MERCURY, pipelined baseline", fair < 1),
        words("reuse", layers["on"].map(_state), "whether reuse was still on at the end"),
    ]  # fmt: skip
    return SortableTable(columns, "All layers")


def _error(error: float) -> str:
    return f"{error:.3f}" if formats.is_known(error) else formats.MISSING


def _state(on: float) -> str:
    if on in (0, 1):
        return "on" if on else "off"
    return f"on in {formats.percent(on, decimals=0)} of seeds"
