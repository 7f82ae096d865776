"""How is a page written that loads nothing?"""

import re
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, FunctionLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from mercuric.errors import MercuricError
from mercuric.files.writing import write_text
from mercuric.page.listeners import tell
from mercuric.page.parts import Page

_UNIT = re.compile(r"(?<=\d) ([a-zA-Z%]+)")


def write(page: Page, folder: Path, template: str = "page.html", **more: object) -> Path:
    """Write ``report.html`` into ``folder``, whole or not at all, and return its path.

    Args:
        page: what it shows.
        folder: of the study.
        template: a file of ``templates/`` or, as ``PACKAGE/FILE``, a study's own one, which extends this.
        more: what the study's own template names beside ``page``.

    Raises:
        MercuricError: it can't be written.
    """
    target = folder / "report.html"
    text = _ENVIRONMENT.get_template(template).render(page=page, plotly=get_plotlyjs(), **more)
    try:
        write_text(target, text)
    except OSError as error:
        raise MercuricError(f"{target} cannot be written: {error.strerror}", exit_code=1) from error
    tell(page.sections, target)
    return target


def unbroken(text: str) -> str:
    """Text in which no line ends between a number and its unit."""
    return _UNIT.sub("\N{NO-BREAK SPACE}\\1", text)


def units(figure: str) -> list[tuple[str, str]]:
    """A figure's numbers, each with the unit that follows it or nothing: ``[("6", "min"), (" 52", "s")]``."""
    pieces = [*_UNIT.split(figure), ""]
    return list(zip(pieces[::2], pieces[1::2], strict=True))


def _source(name: str) -> str:
    package, _, file = name.rpartition("/")
    folder = files(package) if package else files("mercuric.page") / "templates"
    return (folder / file).read_text(encoding="utf-8")


_ENVIRONMENT = Environment(
    autoescape=True,
    loader=FunctionLoader(_source),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters |= {"unbroken": unbroken, "units": units}
_ENVIRONMENT.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "sort_keys": True}
