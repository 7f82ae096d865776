"""What does a layer remember of the directions of its outputs, and when are they estimated anew?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from mercuric.reuse.kernels.row_products import as_image
from mercuric.reuse.principal.config import PrincipalConfig
from mercuric.reuse.principal.directions import Directions, principal_directions, sampled_rows
from mercuric.reuse.principal.groups import Groups
from mercuric.reuse.principal.kept_filters import KeptFilters
from mercuric.reuse.principal.product import Placement
from mercuric.reuse.principal.residual import residual_convolution
from mercuric.saved import Figure, SavedState, Switch, Whole

PAYS = 0.9
"""Share of the dense multiplications over which directions are not worth their second product."""


class PrincipalState(SavedState):
    """What later passes of a layer in directions depend on."""

    basis: Tensor | None
    error: Figure | None
    unfolded: Switch
    trained: Switch
    passes: Whole


@dataclass
class PrincipalPart:
    """The directions of one layer's outputs.

    The first pass, and each ``refresh``-th in training, is dense: its outputs give the directions and,
    against those in use until then, their error. What a layer that trains doesn't compute is then taken out
    of its weight (:meth:`fold_`), so that the weight is at all times what the layer computes.

    Attributes:
        config: how many directions, and how often they are estimated.
        directions: in use; None before the first pass, or where none pay.
        error: relative output error of the directions in use when they were last tested, or None.
        unfolded: whether the weight holds what a layer that trains does not compute.
        kept: thin filters of passes without gradients.
        shared: which vectors shared what in the last pass, with ``residual_bits``.
    """

    config: PrincipalConfig
    directions: Directions | None = None
    error: float | None = None
    shared: Groups | None = field(default=None, repr=False)
    unfolded: bool = field(default=False, repr=False)
    kept: KeptFilters = field(default_factory=KeptFilters, repr=False)
    _trained: bool = field(default=False, repr=False)
    _passes: int = field(default=0, repr=False)
    _dense: bool = field(default=True, repr=False)

    def convolution(
        self, images: Tensor, weight: Tensor, bias: Tensor | None, placement: Placement,
        dense: Callable[[], Tensor], *, learns: bool, trains: bool,
    ) -> Tensor:  # fmt: skip
        """A convolution's outputs (N, filters, H', W').

        Args:
            images: (N, C, H, W).
            weight: (filters, C, kernel height, kernel width).
            bias: (filters,) or None.
            placement: of the windows.
            dense: computes all of it.
            learns: whether this pass counts, and may estimate the directions.
            trains: whether gradients of this pass are to change the weight.
        """
        if self._takes_dense(learns, trains):
            output = dense()
            if learns:
                self._learn(output.detach().permute(0, 2, 3, 1).flatten(0, 2), bias, weight[0].numel())
            return output
        if self.directions is None:
            return dense()
        if self.config.residual_bits is not None:
            output, self.shared = residual_convolution(
                images, weight, bias, self.directions, placement, self.config
            )
            return output
        return self.kept.convolution(images, weight, bias, self.directions, placement)

    def linear(
        self, rows: Tensor, weight: Tensor, bias: Tensor | None, dense: Callable[[], Tensor],
        *, learns: bool, trains: bool,
    ) -> Tensor:  # fmt: skip
        """A fully connected layer's outputs (V, filters) of rows (V, features); arguments as above."""
        if self._takes_dense(learns, trains):
            output = dense()
            if learns:
                self._learn(output.detach(), bias, weight.shape[1])
            return output
        if self.directions is None:
            return dense()
        if self.config.residual_bits is not None:
            found = self.convolution(
                as_image(rows), weight[:, :, None, None], bias, Placement(), dense, learns=False, trains=False
            )
            return found.permute(0, 2, 3, 1)[0, 0]
        return self.kept.linear(rows, weight, bias, self.directions)

    @torch.no_grad()
    def fold_(self, weight: Tensor) -> None:
        """Take out of a weight (filters, ...) what a layer that trained with it does not compute.

        Nothing is taken out where residuals are shared: they need all of it. Optimizers that scale each
        element (Adam) put a little back, which the layer doesn't compute until it is taken out again.
        """
        if self._trained and self.directions is not None and self.config.residual_bits is None:
            basis = self.directions.basis.to(weight.dtype)
            rows = weight.flatten(1)
            weight.copy_((basis @ (basis.T @ rows)).view_as(weight))
        self.unfolded = False

    def state(self) -> dict[str, Any]:
        """What later passes depend on; the basis is a tensor, all else is ready for JSON."""
        return PrincipalState(
            basis=None if self.directions is None else self.directions.basis,
            error=self.error,
            unfolded=self.unfolded,
            trained=self._trained,
            passes=self._passes,
        ).plain()

    def check(self, state: object, weight: Tensor) -> None:
        """Make sure that :meth:`load` can go on from ``state`` in a layer of this weight (filters, ...).

        Raises:
            ValueError: it is broken, or of another layer.
        """
        basis = PrincipalState.of(state, "principal").basis
        if basis is None:
            return
        filters = len(weight)
        if (
            not basis.is_floating_point()
            or basis.ndim != 2
            or not 0 < basis.shape[1] <= len(basis) == filters
        ):
            shape = "x".join(map(str, basis.shape))
            raise ValueError(
                f"basis was {basis.dtype} of {shape}, but must be floats of {filters} filters and at most as "
                "many directions"
            )
        if not bool(basis.isfinite().all()):
            raise ValueError("basis held a number that is not finite")

    def load(self, state: Mapping[str, Any], device: torch.device) -> None:
        """Go on from what :meth:`state` gave, on the layer's device."""
        basis: Tensor | None = state["basis"]
        self.directions = None if basis is None else Directions(basis.to(device))
        self.error, self.unfolded, self.shared = state["error"], state["unfolded"], None
        self._trained, self._passes = state["trained"], state["passes"]

    @property
    def settled(self) -> bool:
        """Whether the layer is a dense one from now on: no directions serve, and none will be sought."""
        return self._passes > 0 and self.directions is None and self.config.refresh is None

    def renew(self) -> None:
        """Let the next pass estimate the directions, as the first one did."""
        self.directions, self._passes = None, 0

    def _takes_dense(self, learns: bool, trains: bool) -> bool:
        if _recomputing():
            return self._dense
        if learns:
            self.unfolded |= trains and not self._trained
            self._trained |= trains
            refresh = self.config.refresh
            due = self._passes == 0 if refresh is None else self._passes % refresh == 0
            self._dense = due and (self._passes == 0 or trains)
            self._passes += trains or due
        else:
            self._dense = False
        return self._dense

    def _learn(self, outputs: Tensor, bias: Tensor | None, length: int) -> None:
        rows = sampled_rows(outputs, self.config.samples)
        if bias is not None:
            rows = rows - bias.detach()
        with torch.autocast(rows.device.type, enabled=False):
            self._choose(rows if rows.dtype == torch.float64 else rows.float(), length, len(outputs))

    def _choose(self, rows: Tensor, length: int, vectors: int) -> None:
        before, self.unfolded = self.directions, self._trained
        found = principal_directions(rows, self.config, length)
        if found is None or not _pays(vectors, rows.shape[1], length, found.rank):
            self.directions = self.error = None
            return
        self.directions, self.error = found, (before or found).error(rows)


def multiplications(vectors: int, filters: int, length: int, rank: int) -> tuple[int, int]:
    """Multiplications of a training step's three products in ``rank`` directions, and densely.

    The thin filters and their gradient are products with the basis as well.
    """
    thin = 3 * vectors * rank * length + 2 * vectors * rank * filters + 2 * rank * filters * length
    return thin, 3 * vectors * filters * length


def _pays(vectors: int, filters: int, length: int, rank: int) -> bool:
    thin, dense = multiplications(vectors, filters, length, rank)
    return thin < PAYS * dense


def _recomputing() -> bool:
    # Gradient checkpointing runs a layer again inside the backward pass, and must get the same tensors.
    return torch._C._current_graph_task_id() != -1
