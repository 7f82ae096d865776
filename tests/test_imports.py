"""What does a light install import and run, and what does it say of all the rest?

A light install has the packages that ``pyproject.toml`` asks for without an extra, and what these ask for in
turn. Here it is a process that finds no others.
"""

import subprocess
import sys
import tomllib
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mercuric.extras import needed_for

PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))[
    "project"
]
BESIDE_PYTORCH = {
    "annotated_types", "llvmlite", "numba", "numpy", "pydantic", "pydantic_core", "typing_inspection", "yaml",
}  # fmt: skip
FORBIDDEN = {
    "h5py", "jinja2", "matplotlib", "pandas", "PIL", "plotly", "pyarrow", "rich", "sacrebleu", "skimage",
    "sklearn", "sympy", "tensorboard", "timm", "tokenizers", "torch._dynamo", "torchvision", "transformers",
    "triton", "typer",
}  # fmt: skip
"""What takes long to import: whoever needs one waits for it then."""
LIGHT = """
import sys

class Light:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ABSENT:
            return None
        specs = (finder.find_spec(name, path, target) for finder in self.finders)
        return next((spec for spec in specs if spec is not None), None)

    def find_distributions(self, *args):
        return (found for finder in self.finders if hasattr(finder, "find_distributions")
                for found in finder.find_distributions(*args))

Light.finders = sys.meta_path[:]
sys.meta_path[:] = [Light()]
"""
IMPORTED = """
import sys, torch
before = set(sys.modules)
import mercuric
print(*set(sys.modules) - before)
"""
LEARN = """
import torch
from torch import nn

import mercuric

torch.manual_seed(0)
model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2))
images, labels = torch.rand(2, 1, 8, 8), torch.tensor([0, 1])
cost = mercuric.simulate(model, images)
handle = mercuric.reuse_(model, mercuric.ReuseConfig.paper())
optimizer = torch.optim.SGD(model.parameters(), 0.1)
loss = nn.functional.cross_entropy(model(images), labels)
loss.backward()
optimizer.step()
handle.step(loss)
print(list(handle.report()["layer"]), list(cost.layers["layer"]), cost.speedup() > 0)
mercuric.restore_(model)
"""
INSTALL = 'which is not installed; install it with: pip install "mercuric[studies]"'
REFUSED = {
    "from mercuric import data; data.load('photos')": "mercuric.data needs PIL",
    "from mercuric import zoo; zoo.build('vgg13', 10, 3, 32)": "this network or data set needs torchvision",
    "from mercuric.training import TrainingRun": "mercuric.data needs PIL",
    "from mercuric.trace.hitmaps.store import HitmapWriter": "a Parquet file of Hitmaps needs pyarrow",
}


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def run_light(code: str) -> subprocess.CompletedProcess[str]:
    return run(f"ABSENT = {absent()}\n{LIGHT}\n{code}")


def absent() -> set[str]:
    """The names of all that is installed here and would not be in a light install."""
    asked = {canonicalize_name(PROJECT["name"]), *_closure(PROJECT["dependencies"])}
    return {
        name
        for name, owners in packages_distributions().items()
        if name not in sys.stdlib_module_names and not asked & {canonicalize_name(owner) for owner in owners}
    }


def _closure(dependencies: Iterable[str]) -> set[str]:
    found: set[str] = set()
    left = [Requirement(one) for one in dependencies]
    while left:
        requirement = left.pop()
        name = canonicalize_name(requirement.name)
        if name in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        with suppress(PackageNotFoundError):
            left += [Requirement(one) for one in requires(name) or []]
    return found


def test_the_extra_is_absent_and_the_library_is_not() -> None:
    assert absent() >= {"PIL", "plotly", "pyarrow", "rich", "torchvision", "typer", "pytest"}
    assert not absent() & {"mercuric", "torch", "numba", "pandas", "dateutil"}


def test_the_library_imports_little() -> None:
    done = run(IMPORTED)
    assert (done.returncode, done.stderr) == (0, "")
    imported = set(done.stdout.split())
    assert not {module for module in imported if FORBIDDEN & {module, module.partition(".")[0]}}


def test_a_light_install_imports_what_the_library_is_made_of() -> None:
    done = run_light(IMPORTED)
    assert (done.returncode, done.stderr) == (0, "")
    packages = {module.partition(".")[0] for module in done.stdout.split()}
    assert packages & set(packages_distributions()) - sys.stdlib_module_names <= {"mercuric", *BESIDE_PYTORCH}


def test_a_light_install_learns_and_simulates() -> None:
    done = run_light(LEARN)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "['0', '3'] ['0', '3'] True\n"


def test_a_light_install_says_how_to_get_the_rest() -> None:
    each = "".join(
        f"try:\n    {code}\nexcept mercuric.MercuricError as error:\n    print(error)\n" for code in REFUSED
    )
    done = run_light(f"import mercuric\n{each}")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [f"{said}, {INSTALL}" for said in REFUSED.values()]


def test_the_command_line_of_a_light_install() -> None:
    done = run_light("from mercuric.cli import main; main()")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"mercuric: the command line needs typer, {INSTALL}\n"


def test_another_module_of_ours_that_is_missing_is_no_matter_of_installing() -> None:
    with pytest.raises(ModuleNotFoundError, match=r"mercuric\.no_such"), needed_for("this"):
        import_module("mercuric.no_such")
