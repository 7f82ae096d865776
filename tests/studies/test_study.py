"""Does one entry give a study a command, whose line is stored, a page and ``mercuric report``?"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner, Result

from mercuric.cli.app import make_app
from mercuric.errors import ArgumentError
from mercuric.studies import study
from mercuric.studies.stored_command import store_command
from mercuric.studies.study import Study

TOY = Study(
    "toy", "Count the letters of WORDS.", f"{__name__}:toy", page=f"{__name__}:write_page", mark="toy.csv"
)
LOUD = Study("toy --loud", "Shout WORDS.", f"{__name__}:loud")


def toy(
    context: typer.Context,
    words: list[str],
    out: Path = Path("runs/toy"),
    least: Annotated[int, typer.Option(help="Letters that count.")] = 1,
) -> None:
    if least < 1:
        raise ArgumentError(f"least was {least}, but must be at least 1")
    out.mkdir(parents=True)
    (out / "toy.csv").write_text("".join(f"{word},{len(word)}\n" for word in words))
    typer.echo(f"Report: {write_page(out, store_command(out, context))}")


def loud(words: list[str], much: int = 1) -> None:
    typer.echo(" ".join(words).upper() + "!" * much)


def write_page(folder: Path, command: str) -> Path:
    page = folder / "report.html"
    page.write_text(f"<pre>{command}\n{(folder / 'toy.csv').read_text()}</pre>")
    return page


def test_every_entry_can_be_loaded() -> None:
    folders = {path.parent.name for path in Path(study.__file__).parent.glob("*/command.py")}
    assert {one.function.split(".")[2] for one in study.STUDIES} == folders
    for one in study.STUDIES:
        assert callable(one.load())
        assert one.page is None or callable(one.load_page())
    assert len({one.name for one in study.STUDIES}) == len(study.STUDIES)


@pytest.fixture
def mercuric(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command with the toy."""
    monkeypatch.setattr(study, "STUDIES", (TOY, LOUD, *study.STUDIES))
    runner, app = CliRunner(), make_app()
    return lambda *arguments: runner.invoke(app, list(map(str, arguments)))


def test_it_has_a_command_with_its_own_help(mercuric: Callable[..., Result]) -> None:
    assert "Count the letters of WORDS." in mercuric("--help").output
    assert "Letters that count." in mercuric("toy", "--help").output
    assert "much" in mercuric("toy", "--loud", "--help").output
    assert mercuric("toy", "a", "--much", 2).exit_code == 2, "an option of the other form"
    assert mercuric("toy", "a", "--much", 2, "--loud", "b").stdout == "A B!!\n"


def test_a_mistake_is_one_sentence(mercuric: Callable[..., Result], refused: Callable[..., str]) -> None:
    said = refused(mercuric("toy", "a", "--least", 0))
    assert said == "mercuric: least was 0, but must be at least 1\n"


def test_its_page_is_written_again(mercuric: Callable[..., Result], tmp_path: Path) -> None:
    out = tmp_path / "toy"
    page, command = out / "report.html", "mercuric toy horse cart --least 2"
    assert mercuric("toy", "horse", "cart", "--least", 2, "--out", out).stdout == f"Report: {page}\n"
    assert (out / "command.txt").read_text() == f"{command}\n"
    before = page.read_text()
    assert before == f"<pre>{command}\nhorse,5\ncart,4\n</pre>"
    page.unlink()
    assert mercuric("report", out).stdout == f"Report: {page}\n"
    assert page.read_text() == before
    (out / "command.txt").unlink()
    assert mercuric("report", out).exit_code == 0, "its mark tells it"
    assert page.read_text() == before.replace(command, "mercuric report toy")
