"""How does a picture show itself in a notebook?"""

from io import StringIO
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from mercuric.page.paper.style import RC

_NO_DAY: Any = {"Date": None, "Creator": None}


class ShownFigure(Figure):
    """A figure of matplotlib that a notebook shows as SVG, whether or not pyplot was imported."""

    def _repr_svg_(self) -> str:
        written = StringIO()
        with mpl.rc_context(RC):
            self.savefig(written, format="svg", metadata=_NO_DAY)
        return written.getvalue()
