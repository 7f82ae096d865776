"""How much of a network's work is in layers that can reuse, and what is not?"""

import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from torch import nn

from mercuric.trace.forward_pass import Inputs
from mercuric.trace.workload import NetworkWork, Workload, read_network

_NAMED = 5
"""Operations that a warning names."""

Operation = tuple[str, str]
"""A row's name, and PyTorch's name of an operation in it."""


@dataclass
class Coverage:
    """Multiply-accumulates of a network's forward passes, by who accounts for them.

    Attributes:
        macs: all of them.
        dense: of each operation that no layer makes, which has a row of its own and costs the same on both
            sides.
        left_out: of each operation whose form isn't known, so that no row has it.
    """

    macs: int = 0
    dense: Counter[Operation] = field(default_factory=Counter)
    left_out: Counter[Operation] = field(default_factory=Counter)

    def add(self, work: NetworkWork, dense: Iterable[Workload]) -> None:
        """Add a forward pass, of whose workloads ``dense`` are not a reuse layer's."""
        self.macs += sum(one.macs for one in work.workloads) + sum(one.macs for one in work.unknown)
        for one in dense:
            if one.operation is not None:
                self.dense[one.layer, one.operation] += one.macs
        for unknown in work.unknown:
            self.left_out[unknown.layer, unknown.operation] += unknown.macs

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON: ``macs``, and with their shares of these ``dense`` and ``left_out``."""
        return {"macs": self.macs, "dense": self._shares(self.dense), "left_out": self._shares(self.left_out)}

    def warn(self) -> None:
        """Name what is left out, if anything is."""
        if not self.left_out:
            return
        shares = self._shares(self.left_out)
        named = [f"{one['operation']} in {one['layer']} ({one['share']:.1%})" for one in shares[:_NAMED]]
        more = f" and {len(shares) - _NAMED} more" if len(shares) > _NAMED else ""
        share = sum(one["share"] for one in shares)
        warnings.warn(
            f"{share:.1%} of the network's multiply-accumulates are left out, for the form of these "
            f"operations isn't known: {', '.join(named)}{more}",
            stacklevel=2,
        )

    def _shares(self, operations: Mapping[Operation, int]) -> list[dict[str, Any]]:
        return [
            {"layer": layer, "operation": operation, "macs": macs, "share": macs / max(self.macs, 1)}
            for (layer, operation), macs in sorted(operations.items(), key=lambda item: -item[1])
        ]


def coverage_beside(model: nn.Module, inputs: Inputs, layers: Iterable[str]) -> dict[str, Any]:
    """What of a forward pass named rows don't account for, with a warning where a form isn't known.

    Args:
        model: the network.
        inputs: what it reads, or as much of it as shows its shares.
        layers: names of rows that stand for all that a layer does.
    """
    work, coverage, named = read_network(model, inputs), Coverage(), set(layers)
    coverage.add(work, [one for one in work.workloads if one.layer not in named])
    coverage.warn()
    return coverage.to_dict()


def without_reuse(workloads: Sequence[Workload], reused: Mapping[str, int]) -> list[Workload]:
    """The workloads that reuse layers did not compute, products in a reuse layer named apart from it.

    Args:
        workloads: of a forward pass.
        reused: multiply-accumulates that reuse layers told of, by name.
    """
    left = dict(reused)
    order = sorted(range(len(workloads)), key=lambda place: workloads[place].kind != "attention")
    dense: dict[int, Workload] = {}
    for place in order:
        one = workloads[place]
        if one.operation is None and one.layer in reused:
            continue
        if one.macs <= left.get(one.layer, 0):
            left[one.layer] -= one.macs
            continue
        apart = f"{one.layer}: {one.operation}" if one.layer in reused else one.layer
        dense[place] = replace(one, layer=apart)
    return [dense[place] for place in sorted(dense)]
