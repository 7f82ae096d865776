"""Does what a command prints stay plain, whatever the names are and whoever reads it?"""

import io
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table
from rich.text import Text
from typer.testing import Result

from mercuric.files.json_text import json_text
from mercuric.terminal.console import PlainConsole, visible
from mercuric.terminal.failures import one_sentence

COMMAND = (sys.executable, "-c", "from mercuric.cli import main; main()")
EVIL = "conv[red]1[/red]\x1b[31m\x1b]0;title \udcff \u202e:smile:"
ESCAPED = r"conv[red]1[/red]\x1b[31m\x1b]0;title \udcff \u202e:smile:"


def shown(cell: object) -> str:
    console = PlainConsole(width=100)
    console.file = io.StringIO()
    table = Table(title=str(cell))
    table.add_column("layer")
    table.add_row(cell)
    console.print(table)
    return console.file.getvalue()


@pytest.mark.parametrize("cell", [EVIL, Text(EVIL)])
def test_a_name_neither_styles_nor_steers_the_terminal(cell: object) -> None:
    lines = shown(cell).splitlines()
    assert len([line for line in lines if ESCAPED in line]) == 2, lines
    assert not any("\x1b" in line for line in lines)
    assert len({len(line) for line in lines[1:]}) == 1, "the table's frame is straight"


@given(st.text(st.characters(exclude_categories=[])))
def test_what_is_visible_can_be_printed_and_steers_nothing(text: str) -> None:
    printed = visible(text).encode("utf-8").decode("utf-8")
    assert not any(ord(one) < 32 or 127 <= ord(one) < 160 for one in printed if one not in "\n\t")
    assert printed == visible(printed)


def test_numbers_that_are_none_are_null() -> None:
    value = {"a": float("nan"), "b": [1.5, (float("inf"),)], "c": {"d": -float("inf")}, "e": "\udcff"}
    assert json.loads(json_text(value)) == {"a": None, "b": [1.5, [None]], "c": {"d": None}, "e": "\udcff"}


def run(*arguments: str | bytes, stdout: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], stdout=stdout, stderr=subprocess.PIPE, text=True)


def test_a_reader_that_leaves_is_no_failure() -> None:
    for arguments in (["models", "custom-cnn"], ["models", "custom-cnn", "--json"]):
        reading, writing = os.pipe()
        os.close(reading)
        done = run(*arguments, stdout=writing)
        os.close(writing)
        assert done.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_output_that_can_not_be_written_is_said() -> None:
    with Path("/dev/full").open("wb") as full:
        done = run("models", "custom-cnn", "--json", stdout=full.fileno())
    assert done.returncode == 1
    assert "No space left on device" in done.stderr and done.stderr.count("\n") == 1


def test_a_path_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    done = run("simulate", "vgg13", "--config", os.fsencode(tmp_path) + b"/\xff\x1b[31m.yaml")
    assert done.returncode == 2
    assert r"\udcff\x1b[31m.yaml can't be read: no such file" in done.stderr


def test_a_warning_is_a_line_that_steers_no_terminal() -> None:
    before = warnings.formatwarning
    with one_sentence():
        said = warnings.formatwarning(f"layer {EVIL}\nis left out", UserWarning, "file.py", 5)
    assert said == f"warning: layer {ESCAPED} is left out\n"
    assert warnings.formatwarning is before


@pytest.mark.parametrize("option", ["--accelerator", "--out", "--weights", "--data", "--set"])
def test_an_empty_variable_is_no_default(
    mercuric: Callable[..., Result], refused: Callable[..., str], option: str
) -> None:
    said = f"mercuric: {option.strip('-')} was '', but must have a value: is a variable empty?\n"
    assert refused(mercuric("evaluate", "custom-cnn", option, "")) == said
    assert refused(mercuric("evaluate", "custom-cnn", f"{option}=")) == said
    assert "an argument was ''" in refused(mercuric("report", ""))
    assert "data_root was ' '" in refused(mercuric("data", "fetch", "cifar10", "--data-root", " "))
