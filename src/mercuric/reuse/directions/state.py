"""What is saved of a layer's directions?"""

from typing import Self

from torch import Tensor

from mercuric.errors import ArgumentError
from mercuric.saved_state import Figure, SavedState, Switch, Whole, mapping


class PrincipalState(SavedState):
    """What later passes of a layer in directions depend on; the bases are tensors, all else fits JSON."""

    basis: Tensor | None
    candidate: Tensor | None
    error: Figure | None
    wanted: Switch
    estimated: Switch
    steps: Whole
    edits: Whole

    @classmethod
    def read(cls, state: object) -> Self:
        """The state, checked; that of 0.4.0 had directions in use alone, and counted passes.

        Raises:
            ValueError: it is not such a state.
        """
        fields = mapping(state, "principal")
        if "passes" in fields:
            basis, passes = fields.get("basis"), fields["passes"]
            estimated = isinstance(passes, int) and passes > 0
            fields = {
                "basis": basis, "candidate": None, "error": fields.get("error"), "wanted": basis is not None,
                "estimated": estimated, "steps": 0, "edits": 0,
            }  # fmt: skip
        return cls.of(fields, "principal")

    def fits(self, filters: int) -> None:
        """Return if the bases are of a layer with so many filters.

        Raises:
            ValueError: they are not, or hold numbers that are not finite.
        """
        for name, basis in (("basis", self.basis), ("candidate", self.candidate)):
            if basis is not None:
                _check(name, basis, filters)


def _check(name: str, basis: Tensor, filters: int) -> None:
    if not basis.is_floating_point() or basis.ndim != 2 or not 0 < basis.shape[1] <= len(basis) == filters:
        shape = "x".join(map(str, basis.shape))
        raise ArgumentError(
            f"{name} was {basis.dtype} of {shape}, but must be floats of {filters} filters and at most as "
            "many directions"
        )
    if not bool(basis.isfinite().all()):
        raise ArgumentError(f"{name} held a number that is not finite")
