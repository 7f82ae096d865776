"""How much work is in the vectors that differ, layer by layer?"""

from typing import Any

import torch

from mercuric.reuse import ReuseHandle, reuse_
from mercuric.studies.bench.equal.cases import Case, Inputs, build
from mercuric.studies.bench.equal.config import EqualBench
from mercuric.studies.bench.equal.forms import Batch


class Limits:
    """Counts which vectors of a network differ on batches of images, in layers that never give up.

    Args:
        case: the network.
        inputs: what it reads.
        config: which vectors are equal.
    """

    def __init__(self, case: Case, inputs: Inputs, config: EqualBench) -> None:
        self._network = build(case, inputs, config).eval()
        self._handle = reuse_(self._network, config.reuse(most=1.0))
        self._vectors: dict[str, int] = dict.fromkeys(self._handle.layers, 0)
        self._differ = dict(self._vectors)

    def read(self, batch: Batch) -> float:
        """Multiply-accumulates of a batch over those of its vectors that differ."""
        self._handle.reset()
        with torch.no_grad():
            self._network(batch.images)
        differ = {}
        for name, state in self._handle.layers.items():
            differ[name] = state.counts.mau + state.counts.mnu
            self._vectors[name] += state.counts.vectors
            self._differ[name] += differ[name]
        vectors = {name: state.counts.vectors for name, state in self._handle.layers.items()}
        return self._limit(differ, vectors)

    @property
    def limit(self) -> float:
        """The same of all batches that were read."""
        return self._limit(self._differ, self._vectors)

    def layers(self, timed: ReuseHandle) -> list[dict[str, Any]]:
        """A row a layer: its vectors, how many are equal to another, and what it did when it was timed."""
        coverage = self._handle.coverage
        macs = sum(coverage.reused.values()) + sum(coverage.others.values())
        rows = []
        for name, state in timed.layers.items():
            told, vectors = state.row(), self._vectors[name]
            rows.append(
                {
                    "layer": name,
                    "kind": state.kind,
                    "vectors": vectors,
                    "equal": 1 - self._differ[name] / max(1, vectors),
                    "macs_share": coverage.reused[name] / max(1, macs),
                    "computed": told["computed"],
                    "computes": told["computes"],
                }
            )
        return rows

    def _limit(self, differ: dict[str, int], vectors: dict[str, int]) -> float:
        coverage = self._handle.coverage
        rest = sum(coverage.others.values())
        needed = sum(macs * differ[name] / max(1, vectors[name]) for name, macs in coverage.reused.items())
        return float((sum(coverage.reused.values()) + rest) / max(1.0, needed + rest))
