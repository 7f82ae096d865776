"""How is a network trained with exact reuse?"""

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd
from torch import nn

from mercuric.reuse import Equal, ReuseHandle, reuse_
from mercuric.studies.train.outcome import Outcome
from mercuric.studies.train.ways.way import Attached, Way
from mercuric.training.metrics import read_lines

_KEPT = ["layer", "kind", "vectors", "HIT", "MAU", "MNU", "on", "computes"]
_MOSTLY = 0.5


class ExactWay(Way):
    """Equal vectors are computed once."""

    in_seconds = True

    def attach(self, model: nn.Module, config: Equal, accelerator: str) -> Attached:  # noqa: ARG002
        """See :meth:`Way.attach`; nothing is simulated."""
        handle = reuse_(model, config)
        return Attached(handle, {"equal": handle}, lambda: exact_layers(handle))

    def part(
        self,
        outcomes: Sequence[Outcome],
        config: Equal,
        folder: Path,
    ) -> dict[str, Any]:
        """How exact reuse went: HITs, what was multiplied, dense layers, and how far losses lie apart."""
        reports = [outcome.layers for outcome in outcomes]
        vectors = max(1, sum(int(one["vectors"].sum()) for one in reports))
        loss = loss_difference(folder, outcomes)
        return {
            "hit_rate": sum(int(one["HIT"].sum()) for one in reports) / vectors,
            "equal": {
                "levels": config.levels,
                "scope": config.scope,
                "most": config.most,
                "layers": len(reports[0]),
                "multiplied": sum(float((one["share"] * computed(one)).sum()) for one in reports)
                / len(reports),
                "dense": [one["layer"][mostly_dense(one)].tolist() for one in reports],
                **({} if loss is None else {"loss": loss}),
            },
        }


def exact_layers(handle: ReuseHandle) -> pd.DataFrame:
    """A row a layer that multiplies, those that can't reuse among them.

    Returns:
        ``layer``, ``kind``, ``vectors``, ``HIT``, ``MAU`` (computed once a class), ``MNU`` (computed
        densely), ``on``, ``computes`` (what the last pass did, and why) and ``share``, of the network's
        multiply-accumulates as the dense network computes them.
    """
    report = handle.report()
    other = handle.coverage.others
    left = [name for name in other if other[name] and name not in handle.layers]
    why: dict[str, str] = report.attrs["dense"]
    rest = [
        {
            "layer": name, "kind": "", "vectors": 0, "HIT": 0, "MAU": 0, "MNU": 0, "on": False,
            "computes": f"dense: {why.get(name, 'it is no layer that reuses')}",
        }
        for name in left
    ]  # fmt: skip
    layers = pd.DataFrame([*report[_KEPT].to_dict("records"), *rest], columns=_KEPT)
    macs = [handle.coverage.reused[name] + other[name] for name in layers["layer"]]
    return layers.assign(share=[one / max(1, sum(macs)) for one in macs])


def computed(layers: pd.DataFrame) -> "pd.Series[float]":
    """The share of each layer's vectors that was computed; 1 where none was compared."""
    vectors = layers["vectors"].where(layers["vectors"] > 0)
    return (1 - layers["HIT"] / vectors).fillna(1.0)


def mostly_dense(layers: pd.DataFrame) -> "pd.Series[bool]":
    """Whether a layer computed most of its vectors densely."""
    return (layers["vectors"] == 0) | (layers["MNU"] > _MOSTLY * layers["vectors"])


def loss_difference(folder: Path, outcomes: Sequence[Outcome]) -> dict[str, Any] | None:
    """How far the losses lie from those of dense training, step by step; None without such a training."""
    losses = {
        (line.run, line.seed, line.step): line.figures["loss"]
        for line in read_lines(folder / "metrics.jsonl")
        if line.event == "step"
    }
    runs = {(outcome.run, outcome.seed) for outcome in outcomes}
    apart = [
        abs(loss - losses["dense", seed, step])
        for (run, seed, step), loss in losses.items()
        if (run, seed) in runs and ("dense", seed, step) in losses
    ]
    return {"largest": max(apart), "median": median(apart), "steps": len(apart)} if apart else None
