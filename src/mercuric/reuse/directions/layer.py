"""When does a layer compute in its directions, and what does it say of that?"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import nan
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn

from mercuric.errors import ArgumentError
from mercuric.reuse.directions.config import Directions
from mercuric.reuse.directions.part import EDITS, PrincipalPart
from mercuric.reuse.judge.fastest import clearly_faster
from mercuric.reuse.layer import LayerReuse, LayerState
from mercuric.reuse.transforms import is_wrapped, meet
from mercuric.reuse.weights import why_foreign


class DirectionsState(LayerState):
    """What a saved training needs of a layer in directions to go on: bases are tensors."""

    principal: dict[str, Any]


@dataclass
class DirectionsLayer(LayerReuse):
    """The directions of one layer's outputs, and why they are not in use.

    Attributes:
        config: how many directions, and when they are in use.
        tied: whether another layer has the same weight.
        view: gives the weight as filters, in its own memory if it is contiguous; None: as it is.
        principal: the directions.
    """

    State: ClassVar[type[LayerState]] = DirectionsState

    config: Directions
    tied: bool = False
    view: Callable[[Tensor], Tensor] | None = None
    principal: PrincipalPart = field(init=False)

    def __post_init__(self) -> None:
        self.principal = PrincipalPart(self.config, self.view)

    def state(self) -> dict[str, Any]:
        """See :meth:`LayerReuse.state`; bases are tensors, all else is ready for JSON."""
        return {**super().state(), "principal": self.principal.state()}

    def checked(self, saved: Mapping[str, Any], layer: nn.Module | None) -> LayerState:
        """See :meth:`LayerReuse.checked`."""
        if isinstance(saved, Mapping) and saved.get("principal") is None:
            raise ArgumentError(
                "principal of the layers was not saved, but must be: their directions are lost"
            )
        state = super().checked(saved, layer)
        if layer is not None and isinstance(state, DirectionsState):
            self.principal.check(state.principal, cast(Tensor, layer.weight))
        return state

    def load(self, saved: Any, layer: nn.Module | None) -> None:
        """See :meth:`LayerReuse.load`."""
        super().load(saved, layer)
        if layer is not None:
            self.principal.load(saved.principal, cast(Tensor, layer.weight).device)

    def turn(self, on: bool) -> None:
        """Turn the layer on or off; dense training since has left the directions that it had."""
        if on:
            self.principal.renew()
        super().turn(on)

    @contextmanager
    def tried(self, on: bool) -> Iterator[None]:
        """Within the block the layer computes in its directions, in use or not yet, or densely."""
        self.principal.trial = on
        try:
            with super().tried(on):
                yield
        finally:
            self.principal.trial = False

    @property
    def settled(self) -> bool:
        """Whether no directions serve the layer, which then is a dense one whether on or off."""
        return self.principal.settled or self.dense_because is not None

    @property
    def comparable(self) -> bool:
        """Whether there are two forms of the layer to time: in directions, and dense."""
        return self.principal.ready and not self.settled

    def loaded(self) -> None:
        """A state dict was loaded into the layer, which is no edit."""
        self.principal.loaded()

    def release(self) -> None:
        """Leave the weight to itself."""
        self.principal.release()

    def figures(self) -> dict[str, object]:
        """Error, rank and form of the layer."""
        part = self.principal
        error = nan if part.error is None else part.error
        return {"error": error, "rank": part.rank, "computes": self._computes()}

    def in_directions(self, weight: Tensor, training: bool) -> bool:
        """Whether a pass computes in directions; one of a training may bring them about.

        Args:
            weight: the layer's parameter, as it is.
            training: as modules have it.
        """
        part = self.principal
        trains = training and torch.is_grad_enabled()
        if trains:
            # What is not measured yet may stay dense: then nothing must be missing in its weight.
            chosen = self.config.keep == "always" or self.milliseconds is not None
            part.want(self.on and (chosen or part.directions is not None))
        # A tensor that stands for the parameter (torch.func.functional_call) is no edit of it.
        own = type(weight) is nn.Parameter and weight.requires_grad
        thin = self.on and part.thin(weight, trains=trains and own)
        if trains:
            self.dense_because = None if thin else self.why_dense(weight)
        return thin

    def meet_directions(self, *values: Tensor | None) -> None:
        """Refuse what a pass in directions has no rule for; similar residuals need plain numbers as well."""
        if self.config.residual_bits is not None or any(map(is_wrapped, values)):
            meet(self.name, *values)

    def why_unfit(self, weight: object) -> str | None:
        """Why the weight can't be changed to what directions compute; None where it can."""
        if not isinstance(weight, Tensor) or type(weight) is Tensor:
            return "its weight is computed from other tensors"
        shared = "its weight is shared with another layer" if self.tied else None
        return why_foreign("weight", weight) or shared

    def why_dense(self, weight: object) -> str | None:
        """Why training leaves the weight out of directions; None where it may change it."""
        if why := self.why_unfit(weight):
            return why
        if self.principal.edited:
            return f"its weight was changed {EDITS} times by something else than an optimizer"
        return None if cast(Tensor, weight).requires_grad else "its weight is frozen"

    def learns(self, output: Tensor, weight: Tensor, training: bool) -> bool:
        """Whether directions are to be estimated from the outputs of a pass that was dense."""
        if is_wrapped(output):
            return False
        # A layer that was slower is measured again, in directions.
        compared = self.on or self.config.keep == "faster"
        if not (compared and self.counting and training and self.principal.learns):
            return False
        return torch.is_grad_enabled() and self.why_dense(weight) is None

    def _computes(self) -> str:
        """In what form the layer computes, and why where that is dense."""
        part = self.principal
        if self.dense_because is not None:
            return f"dense: {self.dense_because}"
        if part.settled:
            limit = part.config.error
            return "dense: no rank pays" if limit is None else f"dense: no rank within error {limit:g} pays"
        if not self.on:
            slower = self.milliseconds is not None and not clearly_faster(self.milliseconds)
            return "dense: not clearly faster" if slower else "dense: switched off"
        if part.strayed:
            return "dense: its weight lies outside of its directions"
        if part.directions is not None:
            return "directions"
        if not part.ready:
            return "dense: no training pass yet"
        return "dense: until the next optimizer step" if part.wanted else "dense: not measured yet"
