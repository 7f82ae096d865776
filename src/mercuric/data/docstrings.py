"""What does an installed Python package say about itself?"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from mercuric.errors import MercuricError

_NOT_FOR_READERS = frozenset({"tests", "testing", "conftest.py"})
_FEWEST_CHARACTERS = 200
"""A shorter docstring leaves a page of names."""

_Documented = ast.Module | ast.ClassDef | ast.FunctionDef


@dataclass(frozen=True)
class Entry:
    """What is said about one module, class or function.

    Attributes:
        name: of the module; of a class or function with its arguments.
        text: its docstring, which begins in the first column.
    """

    name: str
    text: str


def source_folder(package: str, folder: str) -> Path:
    """Where ``folder`` of an installed package lies; the package is not imported.

    Raises:
        MercuricError: the package is not installed, or has no such folder.
    """
    spec = find_spec(package)
    places = spec.submodule_search_locations if spec else None
    path = Path(next(iter(places))) / folder if places else None
    if path is None or not path.is_dir():
        raise MercuricError(
            f"the package {package} is not installed, or has no folder {folder}; "
            'install what data sets need with: pip install "mercuric[studies]"'
        )
    return path


def entries(folder: Path) -> Iterator[Entry]:
    """The longer docstrings of all Python files below ``folder``, by path and in the order of the file.

    What can't be read as Python is left out: a package may ship templates.
    """
    for path in sorted(folder.rglob("*.py")):
        inner = path.relative_to(folder)
        if not _NOT_FOR_READERS.intersection(inner.parts):
            try:
                tree = ast.parse(path.read_bytes())
            except (SyntaxError, ValueError):
                continue
            yield from _entries(tree, ".".join(inner.with_suffix("").parts))


def _entries(node: _Documented, module: str) -> Iterator[Entry]:
    text = ast.get_docstring(node) or ""
    if len(text) >= _FEWEST_CHARACTERS:
        yield Entry(module if isinstance(node, ast.Module) else _signature(node), text)
    for inner in node.body:
        if isinstance(inner, ast.ClassDef | ast.FunctionDef) and not inner.name.startswith("_"):
            yield from _entries(inner, module)


def _signature(node: ast.ClassDef | ast.FunctionDef) -> str:
    if isinstance(node, ast.ClassDef):
        return f"class {node.name}"
    arguments = node.args
    named = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return f"{node.name}({', '.join(name for name in named if name not in ('self', 'cls'))})"
