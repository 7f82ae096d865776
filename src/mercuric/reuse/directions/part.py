"""What does a layer remember of the directions of its outputs, and when does it compute in them?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from mercuric.reuse.directions import optimizer_steps
from mercuric.reuse.directions.basis import (
    PrincipalDirections,
    least_rank,
    principal_directions,
    sampled_rows,
)
from mercuric.reuse.directions.config import Directions
from mercuric.reuse.directions.cost import pays
from mercuric.reuse.directions.kept_filters import KeptFilters
from mercuric.reuse.directions.product import Placement
from mercuric.reuse.directions.residual.groups import Groups
from mercuric.reuse.directions.residual.product import residual_convolution
from mercuric.reuse.directions.state import PrincipalState
from mercuric.reuse.directions.weights import Mark, fold_, outside, projected, rounding
from mercuric.reuse.distributed import summed
from mercuric.reuse.row_products import as_image

EDITS = 3
"""Changes of a weight by something else than an optimizer after which no directions are sought for it."""
_SLACK = 5
"""Times the rounding that a weight may lie outside before it counts as another one."""


@dataclass(eq=False)
class PrincipalPart:
    """The directions of one layer's outputs.

    A training pass, which is dense, finds a candidate. With the optimizer step that follows, the candidate
    comes into use: the weight is put into the directions, and back into them after each later step. So the
    weight is at all times what the layer computes, and a layer whose weight lies elsewhere (it was loaded,
    say) computes densely.

    Attributes:
        config: how many directions, and how often they are estimated.
        view: gives the weight as filters (M, ...), in its own memory if it is contiguous; None: as it is.
        directions: in use; None where the layer is dense.
        candidate: found, and not yet in use.
        error: relative output error of the directions when they were last tested, or None.
        shared: which vectors shared what in the last pass, with ``residual_bits``.
        kept: thin filters of passes without gradients.
        wanted: whether a candidate comes into use with the next optimizer step.
        trial: whether passes compute in a candidate, to be timed.
    """

    config: Directions
    view: Callable[[Tensor], Tensor] | None = None
    directions: PrincipalDirections | None = None
    candidate: PrincipalDirections | None = None
    error: float | None = None
    shared: Groups | None = field(default=None, repr=False)
    kept: KeptFilters = field(default_factory=KeptFilters, repr=False)
    wanted: bool = field(default=False, repr=False)
    trial: bool = field(default=False, repr=False)
    _estimated: bool = field(default=False, repr=False)
    _steps: int = field(default=0, repr=False)
    _edits: int = field(default=0, repr=False)
    _folds: bool = field(default=False, repr=False)
    _mark: Mark | None = field(default=None, repr=False)
    _weight: Tensor | None = field(default=None, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        # A copy has a weight of its own.
        return {**self.__dict__, "_mark": None, "_weight": None, "trial": False}

    def thin(self, weight: Tensor, *, trains: bool) -> bool:
        """Whether a pass computes in the directions.

        Args:
            weight: the layer's parameter, as it is.
            trains: whether the pass is of a training, and may find directions.
        """
        if trains and (self.directions or self.candidate):
            self._follow(weight)
        if self.trial:
            return self._tried is not None
        if self.directions is None or self.candidate is not None or self._due:
            return False
        if self.config.residual_bits is not None or self._holds(weight, trains):
            return True
        if trains:
            self._edited()
        return False

    def convolution(
        self, images: Tensor, weight: Tensor, bias: Tensor | None, placement: Placement
    ) -> Tensor:
        """A convolution's outputs (N, filters, H', W') in the directions.

        Args:
            images: (N, C, H, W).
            weight: (filters, C, kernel height, kernel width).
            bias: (filters,) or None.
            placement: of the windows.
        """
        directions = self._used(weight)
        if self.config.residual_bits is not None:
            output, self.shared = residual_convolution(
                images, weight, bias, directions, placement, self.config
            )
            return output
        return self.kept.convolution(images, weight, bias, directions, placement)

    def linear(self, rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """A fully connected layer's outputs (V, filters) of rows (V, features); arguments as above."""
        if self.config.residual_bits is not None:
            found = self.convolution(as_image(rows), weight[:, :, None, None], bias, Placement())
            return found.permute(0, 2, 3, 1)[0, 0]
        return self.kept.linear(rows, weight, bias, self._used(weight))

    @property
    def learns(self) -> bool:
        """Whether the next training pass estimates directions."""
        return self.candidate is None and self._due

    def learn(self, outputs: Tensor, bias: Tensor | None, weight: Tensor) -> None:
        """Estimate directions from the dense outputs (vectors, filters) of a training pass.

        Values that are not finite, or zeros alone, teach nothing: the next pass is tried then.
        """
        with torch.no_grad():
            rows = without_bias(sampled_rows(outputs.detach(), self.config.samples), bias)
            if teaches(rows):
                self.choose(rows, weight, len(outputs))

    def choose(self, rows: Tensor, weight: Tensor, vectors: int) -> None:
        """Take the directions of finite outputs without bias, (samples, filters), as candidate.

        Args:
            rows: the outputs.
            weight: the layer's parameter.
            vectors: of a pass.
        """
        self._estimated, self._steps, self.candidate = True, 0, None
        seen = self._filters(weight)
        filters, length = len(seen), seen[0].numel()
        found = None
        # What is kept must serve later training passes.
        with (
            torch.inference_mode(False),
            torch.no_grad(),
            torch.autocast(rows.device.type, enabled=False),
        ):
            if pays(vectors, filters, length, least_rank(self.config, filters)):
                found = principal_directions(rows, self.config, length)
            if found is None or not pays(vectors, filters, length, found.rank):
                self.directions = self.error = None
                return
            self.candidate, self.error = found, (self.directions or found).error(rows)
        self._mark = Mark.of(weight, found.basis, inside=False)
        self._follow(weight)

    def use(self, weight: Tensor) -> None:
        """Bring the candidate into use now: the weight changes to what will be computed."""
        if self.candidate is None:
            return
        self.directions, self.candidate = self.candidate, None
        if self.config.residual_bits is None:
            self._put(weight, self.directions.basis)
        self._mark = Mark.of(weight, self.directions.basis, inside=True)
        self._follow(weight)

    def take(self, directions: PrincipalDirections | None, error: float | None, weight: Tensor) -> None:
        """Compute in directions that were found elsewhere, for good; None: densely.

        Args:
            directions: which; the weight lies in them.
            error: relative error of the layer's outputs.
            weight: the layer's parameter.
        """
        self.renew()
        self.directions, self.error, self._estimated = directions, error, True
        if directions is not None:
            self._follow(weight)

    def before_step(self) -> None:
        """See whether something else than an optimizer changed the weight."""
        weight = self.followed_weight()
        if weight is None or self._mark is None or self.config.residual_bits is not None:
            return
        if self._mark.fits(weight, self._mark.basis):
            return
        if self.directions is None or not self._holds(weight, trains=False):
            self._edited()

    def moved(self) -> bool:
        """Whether the weight changed since it was last looked at."""
        weight = self.followed_weight()
        return weight is not None and self._mark is not None and not self._mark.fits(weight, self._mark.basis)

    def after_step(self, weight: Tensor, optimizer: Optimizer) -> None:
        """Put the weight into the directions after an optimizer changed it."""
        self._steps += 1
        self._folds = not optimizer_steps.linear(optimizer)
        if self.candidate is not None:
            if self.wanted:
                basis = self.candidate.basis
                self.use(weight)
                past = None if self._folds else optimizer_steps.momentum(weight, optimizer)
                if past is not None and self.config.residual_bits is None:
                    # It would take the weight out again, step after step, only to be put back.
                    self._put(past, basis)
            else:
                self._mark = Mark.of(weight, self.candidate.basis, inside=False)
        elif self.directions is not None and self.wanted and self.config.residual_bits is None:
            basis = self.directions.basis
            filters = self._filters(weight)
            left = outside(filters, basis)
            if left != left:
                self.renew()
                return
            if left > rounding(filters, basis):
                self._put(weight, basis)
            self._mark = Mark.of(weight, basis, inside=True)

    def followed_weight(self) -> Tensor | None:
        """The weight that the last training pass had."""
        # No weak reference: torch.utils.swap_tensors refuses a tensor that has one.
        return self._weight

    def release(self) -> None:
        """Leave the weight to itself: no optimizer's step concerns it any more."""
        self._weight = None
        optimizer_steps.leave(self)

    def state(self) -> dict[str, Any]:
        """What later passes depend on; bases are tensors, all else is ready for JSON."""
        return PrincipalState(
            basis=None if self.directions is None else self.directions.basis,
            candidate=None if self.candidate is None else self.candidate.basis,
            error=self.error,
            wanted=self.wanted,
            estimated=self._estimated,
            steps=self._steps,
            edits=self._edits,
        ).plain()

    def check(self, state: object, weight: Tensor) -> None:
        """Make sure that :meth:`load` can go on from ``state`` in a layer of this weight (filters, ...).

        Raises:
            ValueError: it is broken, or of another layer.
        """
        PrincipalState.read(state).fits(len(self._filters(weight)))

    def load(self, state: Mapping[str, Any], device: torch.device) -> None:
        """Go on from what :meth:`state` gave, on the layer's device."""
        saved = PrincipalState.read(state)
        self.directions = None if saved.basis is None else PrincipalDirections(saved.basis.to(device))
        self.candidate = None if saved.candidate is None else PrincipalDirections(saved.candidate.to(device))
        self.error, self.shared, self._mark = saved.error, None, None
        self.wanted, self._estimated = saved.wanted, saved.estimated
        self._steps, self._edits = saved.steps, saved.edits

    @property
    def settled(self) -> bool:
        """Whether the layer is a dense one from now on: no directions serve, and none will be sought."""
        return self.edited or (self._estimated and self._tried is None and self.config.refresh is None)

    @property
    def edited(self) -> bool:
        """Whether its weight was changed so often by others that no directions are sought."""
        return self._edits >= EDITS

    @property
    def ready(self) -> bool:
        """Whether there are directions, in use or not."""
        return self._tried is not None

    @property
    def strayed(self) -> bool:
        """Whether the weight lay outside of the directions in use when it was last looked at."""
        return self.directions is not None and self._mark is not None and not self._mark.inside

    @property
    def rank(self) -> int:
        """Directions, in use or not; 0 for none."""
        return 0 if self._tried is None else self._tried.rank

    def want(self, wanted: bool) -> None:
        """Whether the layer is to compute in directions; older candidates are then estimated anew."""
        if wanted and not self.wanted and self.candidate is not None and self._steps > 1:
            self.renew()
        self.wanted = wanted

    def renew(self) -> None:
        """Let the next training pass estimate the directions, as the first one did."""
        self.directions = self.candidate = self.error = self._mark = None
        self._estimated, self._steps = False, 0

    def loaded(self) -> None:
        """A state dict was loaded into the layer, which is no edit; its weight is looked at again."""
        self._edits = 0

    @property
    def _tried(self) -> PrincipalDirections | None:
        return self.candidate or self.directions

    @property
    def _due(self) -> bool:
        if self.edited:
            return False
        refresh = self.config.refresh
        return not self._estimated or (refresh is not None and self._steps >= refresh)

    def _used(self, weight: Tensor) -> PrincipalDirections:
        directions = self._tried if self.trial else self.directions
        assert directions is not None  # noqa: S101 - thin() was True
        if self.trial and self._folds and torch.is_grad_enabled():
            # Each step puts the weight back, which must be timed as well.
            projected(weight, directions.basis)
        return directions

    def _holds(self, weight: Tensor, trains: bool) -> bool:
        """Whether the weight lies in the directions."""
        if type(weight) is not nn.Parameter or weight.is_meta or self.directions is None:
            return False
        basis = self.directions.basis
        # To compare elements has the CPU wait for another device; optimizers' steps look there.
        closely = weight.device.type == "cpu" or not (trains or torch.cuda.is_current_stream_capturing())
        if self._mark is None or not self._mark.fits(weight, basis, closely):
            filters = self._filters(weight)
            inside = outside(filters, basis) <= _SLACK * rounding(filters, basis)
            self._mark = Mark.of(weight, basis, inside)
        return self._mark.inside

    @torch.no_grad()
    def _filters(self, weight: Tensor) -> Tensor:
        return weight if self.view is None else self.view(weight)

    @torch.no_grad()
    def _put(self, weight: Tensor, basis: Tensor) -> None:
        """Put a weight, or a tensor like it, into the directions, in place."""
        if self.view is None:
            fold_(weight, basis)
            return
        contiguous = weight.contiguous()
        fold_(self.view(contiguous), basis)
        if contiguous is not weight:
            weight.copy_(contiguous)

    def _edited(self) -> None:
        self._edits += 1
        self.renew()

    def _follow(self, weight: Tensor) -> None:
        if type(weight) is nn.Parameter and self._weight is not weight:
            self._weight = weight
            optimizer_steps.follow(self)


def without_bias(outputs: Tensor, bias: Tensor | None) -> Tensor:
    """Outputs (vectors, filters) without the bias, in float32 or float64."""
    rows = outputs if outputs.dtype == torch.float64 else outputs.float()
    return rows if bias is None else rows - bias.detach().to(rows.dtype)


def teaches(rows: Tensor) -> bool:
    """Whether the rows of all ranks are finite, and not zeros alone."""
    wrong, some = (~torch.isfinite(rows)).any(), (rows != 0).any()
    wrongs, somes = summed(torch.stack([wrong, some]).long()).tolist()
    return not wrongs and bool(somes)
