"""The picture of the front of cheap training."""

import pandas as pd

from mercuric.studies.schedule.chart import accuracy_chart


def test_points_stand_where_their_seconds_are_filled() -> None:
    rows = [
        {"form": form, "share": share, "accuracy": accuracy, "spread": spread, "seconds": 99.0}
        for form, share, accuracy, spread in (
            ("dense", 1.0, 0.9, 0.01), ("dense", 0.25, 0.8, float("nan")), ("narrow", 0.25, 0.85, 0.02),
        )
    ]  # fmt: skip
    shown = {"dense": "dense", "narrow": "narrower network"}
    dense, narrow = accuracy_chart(pd.DataFrame(rows), shown, 120.0).data
    assert dense.x == (30.0, 120.0) and dense.y == (0.8, 0.9) and dense.error_y.array == (0, 0.01)
    assert narrow.name == "narrower network" and narrow.x == (30.0,)
    assert dense.line.width > narrow.line.width
