"""Do imports go down only, and do studies keep to themselves?

Every import counts: in a function and for type checkers alone as well. Names of commands and pages that the
registry of studies holds as text are no imports: that is how it names what lies above it.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import mercuric

ROOT = Path(mercuric.__file__).parent
FLOORS = (
    ("errors", "progress", "version"),
    ("config", "extras", "files", "notebook", "saved_state", "torchvision_operators"),
    ("similarity",), ("reuse", "prefixes"), ("trace",),
    ("accelerator",), ("rtl",), ("data",), ("zoo",), ("training", "integrations"), ("subjects",),
    ("page", "terminal"), ("studies",), ("cli",), ("__main__",),
)  # fmt: skip
"""From the ground up; what stands beside another on a floor may import it, but never both each other."""
DOOR = "accelerator"
"""The highest that ``import mercuric`` reaches: who imports from there must be above."""
STUDIES_USED: Mapping[str, tuple[str, ...]] = {
    "accuracy": ("train",),
    "front": ("bench",),
    "hitmap": ("simulate",),
    "reproduce": ("hardware", "similarity", "speedups", "sweep", "train"),
    "schedule": ("bench",),
    "shrink": ("evaluate",),
    "similarity": ("bench", "train"),
    "simulate": ("evaluate", "train"),
    "speedups": ("sweep",),
}
"""Study: the others that it is made of."""


@dataclass(frozen=True)
class Import:
    """``importer`` takes ``name`` from the module ``target``, or is ``target`` itself where that is None."""

    importer: str
    target: str
    name: str | None

    def __str__(self) -> str:
        return f"{self.importer} imports {self.target}" + (f".{self.name}" if self.name else "")


def modules(root: Path) -> dict[str, Path]:
    """The package in ``root`` as names with dots and files."""
    found = {}
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(files: Mapping[str, Path]) -> list[Import]:
    """What the modules import of each other, private attributes of modules among it."""
    return [one for name, path in files.items() for one in _imports_of(name, path, files)]


def _imports_of(importer: str, path: Path, files: Mapping[str, Path]) -> Iterator[Import]:
    bound = {}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name in files:
                    yield Import(importer, alias.name, None)
                    bound[alias.asname or alias.name] = alias.name
        elif isinstance(node, ast.ImportFrom):
            package = importer if path.name == "__init__.py" else importer.rpartition(".")[0]
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                if inner in files:
                    yield Import(importer, inner, None)
                    bound[alias.asname or alias.name] = inner
                elif base in files:
                    yield Import(importer, base, alias.name)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
            target = bound.get(ast.unparse(node.value))
            if target is not None:
                yield Import(importer, target, node.attr)


def upward(found: Sequence[Import], floors: Sequence[Sequence[str]], door: str) -> list[str]:
    """Imports that don't go down, and modules that stand on no floor."""
    height = {room: level for level, rooms in enumerate(floors) for room in rooms}
    wrong = []
    for one in found:
        importer, target = _room(one.importer), _room(one.target)
        unknown = [room for room in (importer, target) if room and room not in height]
        wrong += [f"{room} stands on no floor" for room in unknown]
        if not unknown and importer and importer != target:
            below = height[target] if target else height[door] + 1
            wrong += [str(one)] if height[importer] < below else []
    return sorted(set(wrong))


def _room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def private(found: Sequence[Import]) -> list[str]:
    """Imports of what another module keeps to itself."""
    names = ((one, one.name or one.target.rpartition(".")[2]) for one in found)
    return sorted({str(one) for one, name in names if name.startswith("_") and not name.startswith("__")})


def circles(found: Sequence[Import]) -> list[str]:
    """A way from a module, or from a room, back to itself."""
    rooms = [(_room(one.importer), _room(one.target)) for one in found]
    return [
        *_circle((one.importer, one.target) for one in found),
        *_circle(pair for pair in rooms if all(pair) and pair[0] != pair[1]),
    ]


def _circle(pairs: Iterator[tuple[str, str]]) -> list[str]:
    graph: dict[str, list[str]] = {}
    for importer, target in sorted(set(pairs)):
        graph.setdefault(importer, []).append(target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        around = error.args[1][1:]
        first = around.index(min(around))
        return [" is imported by ".join([*around[first:], *around[: first + 1]])]
    return []


def of_studies(found: Sequence[Import], used: Mapping[str, tuple[str, ...]]) -> list[str]:
    """A study's run that knows a page or a command, and studies that know others than the listed ones."""
    pairs = {(study, other) for study, others in used.items() for other in others}
    wrong, met = [], set()
    for one in found:
        study, other = _study(one.importer), _study(one.target)
        if other and study and study != other:
            met.add((study, other))
            wrong += [] if (study, other) in pairs else [str(one)]
        if other and not study and _room(one.importer) == "studies":
            wrong.append(str(one))
    for module in {one.importer for one in found if _study(one.importer)}:
        if module.endswith(".study"):
            wrong += [
                f"{module} reaches {reached}"
                for reached in _reached(module, found)
                if _study(reached) and reached.rpartition(".")[2] in ("page", "command")
            ]
    return sorted({*wrong, *(f"{study} uses {other} no longer" for study, other in pairs - met)})


def _study(module: str) -> str:
    """The study whose folder a module lies in, or none."""
    parts = module.split(".")
    return parts[2] if len(parts) > 3 and parts[1] == "studies" else ""


def _reached(start: str, found: Sequence[Import]) -> set[str]:
    """What is imported from a module on, by way of others."""
    targets: dict[str, set[str]] = {}
    for one in found:
        targets.setdefault(one.importer, set()).add(one.target)
    reached, left = set(), [start]
    while left:
        for target in targets.get(left.pop(), set()) - reached:
            reached.add(target)
            left.append(target)
    return reached


@pytest.fixture(scope="module")
def ours() -> list[Import]:
    return imports(modules(ROOT))


def test_imports_go_down(ours: list[Import]) -> None:
    assert upward(ours, FLOORS, DOOR) == []


def test_what_is_private_stays_in_its_module(ours: list[Import]) -> None:
    assert private(ours) == []


def test_nothing_imports_itself_by_way_of_others(ours: list[Import]) -> None:
    assert circles(ours) == []


def test_studies_keep_to_themselves(ours: list[Import]) -> None:
    assert of_studies(ours, STUDIES_USED) == []


HOUSE = {
    "__init__": "from house.reuse.layer import Layer\n__version__ = '1'\n",
    "errors": "",
    "reuse/__init__": "",
    "reuse/layer": "from house.errors import Wrong\nclass Layer: ...\n_hidden = 1\n",
    "trace/__init__": "",
    "trace/work": "from house.reuse import layer\n",
    "studies/__init__": "",
    "studies/folder": "from house import trace\n",
    "studies/train/__init__": "",
    "studies/train/study": "from house.studies.train import outcome\nimport house\n",
    "studies/train/outcome": "from house.studies.folder import claim\n",
    "studies/train/page": "from .study import run\n",
    "studies/sweep/__init__": "",
    "studies/sweep/study": "from house.studies.train.study import run\n",
}
HOUSE_FLOORS = (("errors",), ("reuse",), ("trace",), ("studies",))
BROKEN = [
    ("reuse/layer", "from house.trace.work import Work", "house.reuse.layer imports house.trace.work.Work"),
    ("reuse/layer", "def late():\n    import house.trace.work", "house.reuse.layer imports house.trace.work"),
    (
        "reuse/layer", "if TYPE_CHECKING:\n    from ..trace.work import Work",
        "house.reuse.layer imports house.trace.work.Work",
    ),
    ("reuse/layer", "from house import __version__", "house.reuse.layer imports house.__version__"),
    ("attic/__init__", "from house.errors import Wrong", "attic stands on no floor"),
    (
        "trace/work", "from house.reuse.layer import _hidden",
        "house.trace.work imports house.reuse.layer._hidden",
    ),
    ("trace/work", "layer._hidden", "house.trace.work imports house.reuse.layer._hidden"),
    (
        "trace/work", "import house.reuse.layer\nhouse.reuse.layer._hidden",
        "house.trace.work imports house.reuse.layer._hidden",
    ),
    (
        "studies/train/outcome", "from house.studies.train.study import run",
        "house.studies.train.outcome is imported by house.studies.train.study is imported by "
        "house.studies.train.outcome",
    ),
    (
        "studies/train/outcome", "from house.studies.train.page import write",
        "house.studies.train.study reaches house.studies.train.page",
    ),
    (
        "studies/train/page", "from house.studies.sweep.study import run",
        "house.studies.train.page imports house.studies.sweep.study.run",
    ),
    (
        "studies/folder", "from house.studies.sweep.study import run",
        "house.studies.folder imports house.studies.sweep.study.run",
    ),
    ("studies/sweep/study", None, "sweep uses train no longer"),
]  # fmt: skip


def said_of(root: Path) -> list[str]:
    found = imports(modules(root))
    used = {"sweep": ("train",)}
    return [*upward(found, HOUSE_FLOORS, "reuse"), *private(found), *circles(found), *of_studies(found, used)]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    for name, text in HOUSE.items():
        path = tmp_path / "house" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "house"


def test_a_house_in_order_has_nothing_said_of_it(house: Path) -> None:
    assert said_of(house) == []


@pytest.mark.parametrize(("module", "more", "said"), BROKEN)
def test_what_breaks_a_rule_is_named(house: Path, module: str, more: str | None, said: str) -> None:
    path = house / f"{module}.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text("" if more is None else HOUSE.get(module, "") + more + "\n")
    assert said in said_of(house)
