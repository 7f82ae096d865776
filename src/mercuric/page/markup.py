"""How does text get into the page, whatever it holds?"""

import html
import re

_UNIT = re.compile(r"(?<=\d) ([a-zA-Z%]+)")


def unbroken(text: str) -> str:
    """Escaped text in which no line ends between a number and its unit."""
    return _UNIT.sub(r"&nbsp;\1", html.escape(text))


def small_units(figure: str) -> str:
    """An escaped figure with its units set smaller."""
    return _UNIT.sub(r"<small>&nbsp;\1</small>", html.escape(figure))


def script_safe(content: str) -> str:
    """JSON that cannot end the script element it stands in."""
    return content.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def plotly_text(text: str) -> str:
    """Text that Plotly, which reads a subset of HTML, shows as it is."""
    return html.escape(text, quote=False)
