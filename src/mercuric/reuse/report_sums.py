"""What do the rows of a report say together?"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def similarity_rates(report: "pd.DataFrame") -> dict[str, float]:
    """Shares of all input vectors over the rows of a report.

    Returns:
        ``hit_rate``: HITs; ``zero_rate``: vectors of zeros alone, HIT or not; ``similar_rate``: HITs
        of other vectors.
    """
    sums = {name: int(report[name].sum()) for name in ("vectors", "HIT", "zero", "zero_hits")}
    vectors = max(1, sums["vectors"])
    return {
        "hit_rate": sums["HIT"] / vectors,
        "zero_rate": sums["zero"] / vectors,
        "similar_rate": (sums["HIT"] - sums["zero_hits"]) / vectors,
    }


def layers_in_directions(report: "pd.DataFrame") -> int:
    """How many layers of a report compute in principal directions."""
    return int((report["computes"] == "directions").sum())
