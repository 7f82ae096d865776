"""How is a network had that the user's own code makes?

The code is run, as ``python FILE.py`` would run it: only where its name is given on the command line, or in a
configuration that is run.
"""

import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from functools import reduce
from hashlib import sha256
from pathlib import Path
from traceback import extract_tb
from types import ModuleType
from typing import Any

from torch import nn

from mercuric.errors import ArgumentError, MercuricError
from mercuric.files.regular import require_regular
from mercuric.subjects.providers.provider import (
    Arguments,
    Opened,
    Purpose,
    digest,
    finished,
    last_line,
)
from mercuric.zoo import Reads

_NAME = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"


class _OwnCode:
    """A factory: a function or class that gives a network, or a network itself."""

    def reads(self, _: str) -> Reads:
        """See ``Provider.reads``."""
        return "images"

    def weights(self, name: str) -> str | None:
        """See ``Provider.weights``: a factory may draw them, or read a file."""
        return f"as {name} makes them"


class OwnFile(_OwnCode):
    """``FILE.py:FACTORY``."""

    form = "FILE.py:FACTORY"

    def has(self, name: str) -> bool:
        """See ``Provider.has``."""
        return re.fullmatch(rf".+\.py:{_NAME}", name) is not None

    def open(self, name: str, arguments: Arguments) -> Opened:
        """See ``Provider.open``: runs the file."""
        place, _, factory = name.rpartition(":")
        path = Path(place).expanduser()
        require_regular(path, "a Python file")
        if not path.exists():
            raise MercuricError(f"there is no file {place}, which must make the network {name!r}")
        module = _imported(place, lambda: _run(path))
        return _opened(name, _attribute(module, place, factory), arguments, path)


class OwnModule(_OwnCode):
    """``MODULE:FACTORY``; modules are looked for in the current folder, too."""

    form = "MODULE:FACTORY"

    def has(self, name: str) -> bool:
        """See ``Provider.has``."""
        return re.fullmatch(rf"{_NAME}:{_NAME}", name) is not None

    def open(self, name: str, arguments: Arguments) -> Opened:
        """See ``Provider.open``: imports the module."""
        place, _, factory = name.partition(":")
        _look_in(Path.cwd())
        module = _imported(place, lambda: importlib.import_module(place))
        path = None if getattr(module, "__file__", None) is None else Path(str(module.__file__))
        return _opened(name, _attribute(module, place, factory), arguments, path)


def _look_in(folder: Path) -> None:
    """Let imports find what lies beside own code; after all that is installed."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def _run(path: Path) -> ModuleType:
    _look_in(path.resolve().parent)
    place = sha256(str(path.resolve()).encode()).hexdigest()
    called = f"mercuric_own_{place[:12]}"
    found = importlib.util.spec_from_file_location(called, path)
    assert found is not None and found.loader is not None  # noqa: S101 - its name ends with .py
    module = sys.modules[called] = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def _imported(place: str, run: Callable[[], ModuleType]) -> ModuleType:
    try:
        return run()
    except ModuleNotFoundError as error:
        if error.name is not None and (place == error.name or place.startswith(f"{error.name}.")):
            raise MercuricError(
                f"there is no module {error.name}, neither in {Path.cwd()} nor installed"
            ) from error
        raise MercuricError(f"{place} can't be imported: {last_line(error)}") from error
    except (Exception, SystemExit) as error:
        raise MercuricError(f"{place} can't be imported: {last_line(error)}{_line(error)}") from error


def _attribute(module: ModuleType, place: str, name: str) -> Any:
    try:
        return reduce(getattr, name.split("."), module)
    except AttributeError:
        there = [key for key, value in vars(module).items() if _makes(value, module)]
        known = f"; it has {', '.join(there)}" if there else ""
        raise ArgumentError(f"factory was {name!r}, but {place} has no such name{known}") from None


def _makes(value: object, module: ModuleType) -> bool:
    own = getattr(value, "__module__", None) == module.__name__
    return isinstance(value, nn.Module) or (own and callable(value))


def _opened(name: str, factory: Any, arguments: Arguments, path: Path | None) -> Opened:
    if isinstance(factory, nn.Module):
        if arguments:
            raise ArgumentError(f"model_args was {dict(arguments)}, but {name} is a network already")

        def build(purpose: Purpose) -> nn.Module:
            return finished(name, deepcopy(factory), purpose)
    elif callable(factory):
        takes = _parameters(factory)

        def build(purpose: Purpose) -> nn.Module:
            known = {key: value for key, value in purpose.known().items() if key in takes}
            with _its_errors(name):
                made = factory(**{**known, **arguments})
            return finished(name, made, purpose)
    else:
        raise ArgumentError(
            f"model was {name!r}, which is a {type(factory).__name__}, but must be a function or class that "
            "gives an nn.Module, or one"
        )
    source = None if path is None or not path.is_file() else path
    return Opened(build, rests_on=lambda: {} if source is None else {"code": digest(source)})


def _parameters(factory: Callable[..., Any]) -> frozenset[str]:
    """What it has a name for; of the data it is told what it asks for by name."""
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):  # of C
        return frozenset()
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return frozenset(one.name for one in parameters if one.kind in named)


@contextmanager
def _its_errors(name: str) -> Iterator[None]:
    """What a factory raises, as one sentence."""
    try:
        yield
    except MercuricError:
        raise
    except (Exception, SystemExit) as error:
        raise MercuricError(f"{name} raised {last_line(error)}{_line(error)}") from error


def _line(error: BaseException) -> str:
    """Where own code raised it."""
    frames = [one for one in extract_tb(error.__traceback__) if not one.filename.startswith("<frozen")]
    own = [one for one in frames if one.filename != __file__]
    return f" ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else ""
