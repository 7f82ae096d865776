"""How is a network trained with MERCURY, in simulated hardware?"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from torch import nn

from mercuric.accelerator import CycleCounter, as_accelerator
from mercuric.accelerator.count.totals import totals
from mercuric.accelerator.mcache_owner import in_runs_mcache
from mercuric.reuse import Alike, reuse_, similarity_rates
from mercuric.studies.train.config import RunConfig
from mercuric.studies.train.outcome import Outcome
from mercuric.studies.train.ways.way import Attached, Way

PUBLISHED_SPEEDUP = {"vgg13": 1.89}
"""Training speed-ups that the paper gives for one network by number (section I)."""


class MercuryWay(Way):
    """Similar vectors take each other's results, and cycles are counted."""

    in_seconds = False

    def attach(self, model: nn.Module, config: Alike, accelerator: str) -> Attached:
        """See :meth:`Way.attach`."""
        counter = CycleCounter(in_runs_mcache(accelerator, config.cache))
        handle = reuse_(model, config, cost=counter)
        handle.switch_off_losing()
        handle.observe(counter.observe)
        return Attached(
            handle,
            {"similarity": handle, "cycles": counter},
            lambda: handle.report().merge(counter.layers(), on="layer"),
        )

    def part(
        self,
        outcomes: Sequence[Outcome],
        config: Alike,
        folder: Path,  # noqa: ARG002 - the layers tell all
    ) -> dict[str, Any]:
        """How reuse went; ``final_bits`` and ``layers_off`` hold an entry a seed, as training ended."""
        reports = [outcome.layers for outcome in outcomes]
        return {
            **similarity_rates(pd.concat(reports)),
            "final_bits": [dict(zip(one["layer"], one["bits"].tolist(), strict=True)) for one in reports],
            "layers_off": [one["layer"][~one["on"].astype(bool)].tolist() for one in reports],
            "bits": config.bits,
        }

    def whole(self, outcomes: Sequence[Outcome], config: RunConfig) -> dict[str, Any]:
        """Cycles and speed-ups, means over seeds."""
        layers = pd.concat([outcome.layers for outcome in outcomes])
        cycles = layers.filter(regex="^(cycles|fair)_") / len(outcomes)
        found = totals(cycles, as_accelerator(config.accelerator))
        published = PUBLISHED_SPEEDUP.get(config.model) if config.width == 1 else None
        return {**found, "speedup": {**found["speedup"], "published": published}}
