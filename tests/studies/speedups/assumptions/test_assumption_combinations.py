"""Are speed-ups, means and distances those that one finds by hand?"""

import pandas as pd
import pytest

from mercuric.accelerator import as_accelerator
from mercuric.studies.speedups.assumptions.arrays import Array
from mercuric.studies.speedups.assumptions.assumption import Assumption, Assumptions, LeftOut
from mercuric.studies.speedups.assumptions.combined import (
    combine,
    moves,
    near,
    networks,
    row_of,
    speedup_table,
)
from mercuric.studies.speedups.assumptions.sums import Sum

LAYERS = [
    # name, kind, reloaded, forward and training without and with reuse, signatures of gradients
    ("first", "conv", False, 100, 40, 300, 100, 0),
    ("second", "conv", True, 100, 90, 300, 240, 30),
    ("head", "linear", False, 50, 80, 150, 180, 20),
]


def counted(scale: float = 1.0, model: str = "net", array: str = "", run: int = 0) -> pd.DataFrame:
    """The three layers; reuse takes ``scale`` times the cycles, and in fair timing twice these."""
    rows = []
    for layer, kind, reloaded, *cycles in LAYERS:
        forward, with_reuse, training, trained, signed = cycles
        known = {"model": model, "array": array, "run": run, "layer": layer, "kind": kind}
        rows.append(
            {
                **known, "reloaded": reloaded,
                "forward_cycles_baseline": forward, "forward_cycles_mercury": with_reuse * scale,
                "training_cycles_baseline": training, "training_cycles_mercury": trained * scale,
                "forward_fair_baseline": forward, "forward_fair_mercury": 2 * with_reuse * scale,
                "training_fair_baseline": training, "training_fair_mercury": 2 * trained * scale,
                "cycles_gradient_signature": signed, "fair_gradient_signature": signed,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("chosen", "speedup"),
    [
        (Sum(), 750 / (100 + 240 + 150)),
        (Sum(losing="on"), 750 / (100 + 240 + 180)),
        (Sum(layers="convolutions"), 600 / (100 + 240)),
        (Sum(products="forward"), 250 / (40 + 90 + 50)),
        (Sum(products="forward", losing="on"), 250 / (40 + 90 + 80)),
        (Sum(products="forward", layers="convolutions"), 200 / (40 + 90)),
        (Sum(baseline="fair", mercury="fair"), 750 / (200 + 300 + 150)),
        (Sum(baseline="fair", mercury="fair", losing="on"), 750 / (200 + 480 + 360)),
        (Sum(mercury="fair"), 750 / (200 + 300 + 150)),
        (Sum(gradients="compute"), 750 / (100 + 270 + 150)),
        (Sum(gradients="reload"), 750 / (100 + 240 + 150)),
        (Sum(gradients="compute", losing="on"), 750 / (100 + 270 + 200)),
        (Sum(gradients="reload", losing="on"), 750 / (100 + 240 + 200)),
        (Sum(gradients="compute", products="forward"), 250 / (40 + 90 + 50)),
    ],
)
def test_sums_by_hand(chosen: Sum, speedup: float) -> None:
    found = chosen.speedups(counted(), ["model"])
    assert found["net"] == pytest.approx(speedup)


def test_an_unknown_choice() -> None:
    with pytest.raises(ValueError, match="losing was 'maybe', but must be 'off' or 'on'"):
        Sum(losing="maybe")  # type: ignore[arg-type]


def small() -> Assumptions:
    """Eight combinations, of which one is left out."""
    common = {"sentence": "", "section": ""}
    return Assumptions(
        (
            Assumption(
                name="losing", level="sum", values={"off": {}, "on": {"losing": "on"}}, **common
            ),
            Assumption(
                name="runs", level="run", values={
                    "batch": {"normalisation": "batch"}, "stored": {"normalisation": "stored"}
                }, **common
            ),
            Assumption(
                name="dealing", level="array", dataflows=("row",), values={
                    "vectors": {}, "products": {"dealing": "products"}
                }, **common
            ),
        )
    )  # fmt: skip


def tables(known: Assumptions) -> dict[str, pd.DataFrame]:
    """Two networks, one twice as slow with reuse; stored statistics and dealt products halve the cycles."""
    base = as_accelerator("eyeriss-168")
    built = {
        "row": [
            Array("row", {"dealing": value}, base.changed(dealing=value)) for value in ("vectors", "products")
        ],
        "weight": [Array("weight", {}, base)],
        "input": [Array("input", {}, base)],
    }
    found = {}
    for dataflow, own in built.items():
        rows = [
            counted(slow / 2**run / 2**place, model, array.digest, run)
            for model, slow in (("net", 1), ("other", 2))
            for run in range(2)
            for place, array in enumerate(own)
        ]
        found[dataflow] = speedup_table(known, dataflow, own, pd.concat(rows, ignore_index=True))
    return found


def test_a_row_each_combination_of_what_says_something_of_the_dataflow() -> None:
    found = tables(small())
    assert [len(found[dataflow]) for dataflow in ("row", "weight", "input")] == [8, 4, 4]
    row = row_of(found["row"], {"losing": "on", "runs": "batch", "dealing": "vectors"})
    assert row["net"] == pytest.approx(750 / 520) and row["other"] == pytest.approx(750 / 1040)
    assert row["mean"] == pytest.approx((row["net"] + row["other"]) / 2)
    both = row_of(found["row"], {"losing": "on", "runs": "stored", "dealing": "products"})
    assert both["net"] == pytest.approx(4 * 750 / 520)


def test_every_combination_is_there_once_and_the_nearest_first() -> None:
    known = small()
    whole = combine(known, tables(known))
    assert len(whole) == known.number == 8
    assert not whole.duplicated(["losing", "runs", "dealing"]).any()
    assert whole["distance"].is_monotonic_increasing
    published = {"row": 1.97, "weight": 1.66, "input": 1.55}
    for _, row in whole.iterrows():
        by_hand = max(abs(row[dataflow] - mean) / mean for dataflow, mean in published.items())
        assert row["distance"] == pytest.approx(by_hand)
    assert near(whole)["distance"].le(0.15).sum() == (whole["distance"] <= 0.15).sum() == len(near(whole))


def test_left_out_sums_are_not_there() -> None:
    known = Assumptions(small().all, left_out=(LeftOut({"losing": "on"}, "nobody asks"),))
    whole = combine(known, tables(known))
    assert len(whole) == 4 and set(whole["losing"]) == {"off"}


def test_what_moves_what_by_hand() -> None:
    known = small()
    found = moves(known, tables(known)).set_index(["assumption", "value", "dataflow"])
    assert ("dealing", "products", "weight") not in found.index
    on = [tables(known)["weight"].set_index(["losing", "runs"])["mean"]][0]
    ratios = sorted(on["on", run] / on["off", run] for run in ("batch", "stored"))
    row = found.loc["losing", "on", "weight"]
    assert row["least"] == pytest.approx(ratios[0]) and row["most"] == pytest.approx(ratios[1])
    assert row["median"] == pytest.approx(sum(ratios) / 2)


def test_single_networks_of_a_combination() -> None:
    known = small()
    table = networks(known, tables(known), {"losing": "on", "runs": "batch", "dealing": "vectors"})
    assert table["model"].tolist() == ["net", "other"]
    assert table.set_index("model").loc["other", "input"] == pytest.approx(750 / 1040)
