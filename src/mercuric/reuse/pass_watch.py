"""What is gathered over a whole forward pass of a model, and said after it?"""

import warnings
from collections.abc import Mapping

from torch import nn

from mercuric.reuse.coverage import Coverage
from mercuric.reuse.coverage_text import warning_text
from mercuric.reuse.layer import LayerReuse
from mercuric.reuse.model_pass import NextPass


class PassWatch:
    """Makes the errors of all calls of a layer in one pass one error, and warns once of what is left out.

    Args:
        layers: states of the reuse layers, by name.
        coverage: of their model; counted before this watch hears of the end of a pass.
    """

    def __init__(self, layers: Mapping[str, LayerReuse], coverage: Coverage) -> None:
        self._layers = layers
        self._coverage = coverage
        self._next: NextPass | None = None
        self._warned = False
        self.await_pass()

    def await_pass(self) -> None:
        """Watch the next pass, unless reuse was taken off."""
        if self._next is None and self._coverage.attached:
            self._next = NextPass(self._coverage.around, self._begin, self._end)

    def warn(self) -> None:
        """Say what reuse leaves out, unless it was said."""
        text = None if self._warned else warning_text(self._layers, self._coverage)
        if text is not None:
            self._warned = True
            warnings.warn(text, stacklevel=3)

    def close(self) -> None:
        """Leave the model alone."""
        self._coverage.close()
        if self._next is not None:
            self._next.close()

    def _begin(self, _model: nn.Module) -> None:
        for state in self._layers.values():
            state.begin_pass()

    def _end(self, failed: bool) -> None:
        self._next = self._next if failed else None
        for state in self._layers.values():
            state.end_pass()
        if not failed and self._coverage.counted:
            self.warn()
