"""How does what layers did look, as a table that draws itself in a notebook?"""

from typing import TYPE_CHECKING, Any

import pandas as pd

from mercuric.notebook import drawn, shown_as_html

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PANDAS_PLOT: Any = pd.DataFrame.plot


class LayerReport(pd.DataFrame):
    """A layer a row; what is taken from it, or made of it, is a plain table of pandas."""

    @property
    def _constructor(self) -> Any:
        return pd.DataFrame

    @property
    def plot(self) -> Any:
        """Called without arguments: what became of each layer's vectors; with some: pandas' own plot."""
        return _Plot(self)

    def _repr_html_(self) -> str:
        covered = self.attrs.get("covered")
        share = "" if covered is None else f", {covered:.0%} of the multiplications"
        return shown_as_html(
            f"{len(self)} layers reuse{share}", "reused_vectors", self, table=pd.DataFrame(self).to_html()
        )


class _Plot(_PANDAS_PLOT):  # type: ignore[misc]
    def __call__(self, *args: Any, **settings: Any) -> "Figure | Any":
        """A figure of matplotlib.

        Raises:
            MercuricError: no layer has run, or matplotlib is not installed.
        """
        if args or settings:
            return super().__call__(*args, **settings)
        return drawn("reused_vectors", self._parent)
