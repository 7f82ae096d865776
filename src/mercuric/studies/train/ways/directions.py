"""How is a network trained in principal directions?"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn

from mercuric.reuse import Directions, reuse_
from mercuric.reuse.report_sums import layers_in_directions
from mercuric.studies.train.outcome import Outcome
from mercuric.studies.train.ways.way import Attached, Way

_OF_VECTORS = ["vectors", "bits", "HIT", "MAU", "MNU", "zero", "zero_hits"]
"""Columns of a report that only layers which compare vectors have something to say in."""


class DirectionsWay(Way):
    """Outputs are computed in their first principal directions."""

    in_seconds = True

    def attach(self, model: nn.Module, config: Directions, accelerator: str) -> Attached:  # noqa: ARG002
        """See :meth:`Way.attach`; nothing is simulated."""
        handle = reuse_(model, config)
        return Attached(handle, {"directions": handle}, lambda: handle.report().drop(columns=_OF_VECTORS))

    def part(
        self,
        outcomes: Sequence[Outcome],
        config: Directions,
        folder: Path,  # noqa: ARG002 - the layers tell all
    ) -> dict[str, Any]:
        """How directions went; ``kept`` holds an entry a seed: layers in directions at the end."""
        reports = [outcome.layers for outcome in outcomes]
        kept = [layers_in_directions(one) for one in reports]
        return {
            "directions": {
                "rank": config.rank, "error": config.error, "layers": len(reports[0]), "kept": kept,
            }
        }  # fmt: skip
