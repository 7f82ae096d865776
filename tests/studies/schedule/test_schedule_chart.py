"""The picture of the front of cheap training."""

import pandas as pd
import pytest

from mercuric.studies.schedule.chart import accuracy_chart


def test_points_stand_where_their_seconds_are_filled() -> None:
    rows = [
        {"form": form, "share": share, "accuracy": accuracy, "spread": spread, "seconds": 99.0}
        for form, share, accuracy, spread in (
            ("dense", 1.0, 0.9, 0.01), ("dense", 0.25, 0.8, float("nan")), ("narrow", 0.25, 0.85, 0.02),
        )
    ]  # fmt: skip
    shown = {"dense": "dense", "narrow": "narrower network"}
    chart = accuracy_chart(pd.DataFrame(rows), shown, 120.0)
    dense, narrow = chart.data
    assert dense.x == pytest.approx((30.0, 120.0), rel=0.02)
    assert dense.y == (0.8, 0.9) and dense.error_y.array == (0, 0.01)
    assert narrow.name == "narrower network" and narrow.x == pytest.approx((30.0,), rel=0.02)
    assert dense.x[0] < 30 < narrow.x[0]
    assert chart.layout.xaxis.tickvals == (30.0, 120.0)
    assert chart.layout.xaxis.ticktext == ("30 s (25 %)", "120 s (100 %)")
    assert dense.line.width > narrow.line.width
