"""Is what is built enough for a user: the wheel, its types, its command, and the extras it names?"""

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import mercuric

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
SCRIPT = """
import torch
from torch import nn

import mercuric
from mercuric import Alike, CycleCost, Equal, ReuseHandle

model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())
handle: ReuseHandle = mercuric.reuse_(model, Alike(bits=12), cost=CycleCost())
model(torch.rand(2, 3, 8, 8))
bits: list[int] = [layer.bits for layer in handle.layers.values()]
handle.step(1.0)
mercuric.restore_(model)
told: mercuric.Summary = mercuric.summary(model, torch.rand(1, 3, 8, 8), Equal())
macs: int = told.macs
cycles = mercuric.simulate(model, torch.rand(1, 3, 8, 8)).layers
"""


def run(*line: str, **environment: str) -> str:
    ended = subprocess.run(line, capture_output=True, text=True, env={**os.environ, **environment})
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_a_user_s_script_passes_strict_types(tmp_path: Path) -> None:
    pytest.importorskip("mypy", reason="mypy is in the extra dev")
    (tmp_path / "script.py").write_text(SCRIPT)
    source = str(Path(mercuric.__file__).parent.parent)
    run(
        sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--config-file=",
        f"--cache-dir={tmp_path / 'cache'}", str(tmp_path / "script.py"), MYPYPATH=source,
    )  # fmt: skip


def test_extras_are_there_and_one_version_is_everybody_s() -> None:
    extras = PROJECT["optional-dependencies"]
    assert {"studies", "engines", "rtl", "distributed", "hf"} <= extras.keys()
    assert PROJECT["dynamic"] == ["version"]
    pinned = {line.split("==")[0].lower() for line in (ROOT / "constraints.txt").read_text().split()}
    direct = {
        one.split(";")[0].split(">")[0].split("=")[0].split("<")[0].strip().lower().partition("[")[0]
        for one in (*PROJECT["dependencies"], *(one for extra in extras.values() for one in extra))
    }
    assert direct - pinned <= {"mercuric"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT))
    return next(folder.glob("mercuric-*.whl"))


@pytest.mark.download
def test_the_wheel_has_its_version_types_and_files(wheel: Path) -> None:
    assert f"mercuric-{mercuric.__version__}-" in wheel.name
    with zipfile.ZipFile(wheel) as parts:
        names = parts.namelist()
    assert "mercuric/py.typed" in names
    for ending in ("presets/eyeriss-168.yaml", "reproduce/runs.yaml", "templates/page.html"):
        assert any(name.endswith(ending) for name in names)


@pytest.mark.download
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_the_wheel_works_in_an_empty_environment(wheel: Path, version: str, tmp_path: Path) -> None:
    """Installs with pip, which asks the package index."""
    run(interpreter(version), "-m", "venv", str(tmp_path / "empty"))
    python = str(tmp_path / "empty" / "bin" / "python")
    clean = {"PYTHONPATH": ""}
    run(python, "-m", "pip", "install", "--quiet", "-c", str(ROOT / "constraints.txt"), str(wheel), **clean)
    (tmp_path / "script.py").write_text(SCRIPT)
    run(python, str(tmp_path / "script.py"), **clean)
    line = [python, "-m", "mercuric", "--version"]
    light = subprocess.run(line, capture_output=True, text=True, env={**os.environ, **clean})
    assert light.returncode == 2 and 'pip install "mercuric[studies]"' in light.stderr


def interpreter(version: str) -> str:
    """The command of that Python, where the machine has one."""
    if sys.version_info[:2] == tuple(map(int, version.split("."))):
        return sys.executable
    name = f"python{version}"
    works = shutil.which(name) and subprocess.run([name, "-c", ""], capture_output=True).returncode == 0
    return name if works else pytest.skip(f"{name} is not installed")
