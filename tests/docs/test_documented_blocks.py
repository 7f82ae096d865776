"""Does the code of every page do what the page says? ``documented_blocks`` has the rule."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import typer
from documented_blocks import PAGES, ROOT, Block, blocks
from typer.main import get_command
from typer.testing import CliRunner

import mercuric.torchvision_operators  # noqa: F401 - transformers imports torchvision
from mercuric.accelerator.dataflows.registry import DATAFLOWS
from mercuric.cli.app import make_app

Record = Callable[[str, object], None]
TARGETS = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Record) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    names: dict[str, Any] = {"__name__": "__page__"}
    counts = dict.fromkeys(("python", "ran", "parsed", "elsewhere"), 0)
    registered = dict(DATAFLOWS)
    torch.manual_seed(0)
    text = page.read_text(encoding="utf-8")
    found = blocks(text)
    fences = text.count("```python\n")
    assert sum(block.language == "python" for block in found) == fences, "a block is overlooked"
    for block in found:
        if name := block.note("file"):
            Path(name).write_text(block.code, encoding="utf-8")
        if test := block.note("tested by"):
            assert (ROOT / test).is_file(), f"{page}: there is no {test}"
            counts["elsewhere"] += block.language in ("python", "bash")
        elif block.language == "python":
            run_python(block, names)
            counts["python"] += 1
        elif block.language in ("bash", "indented"):
            for words in block.commands:
                counts[do_command(block, words)] += 1
    DATAFLOWS.clear()
    DATAFLOWS.update(registered)
    record_property("documented", counts)


def run_python(block: Block, names: dict[str, Any]) -> None:
    exec(compile(block.before, "<before>", "exec"), names)  # noqa: S102 - our own pages
    code = compile(block.code, "<page>", "exec")
    if block.note("raises") is None:
        exec(code, names)  # noqa: S102
        return
    with pytest.raises(Exception, match=re.escape(block.said)):
        exec(code, names)  # noqa: S102


def do_command(block: Block, words: list[str]) -> str:
    """Parse or run a line, and say which."""
    program, *arguments = words
    if program != "mercuric":
        known = {"make": TARGETS, "pip": ["install"], "python": [arguments[0]] if arguments else []}
        assert arguments[0] in known.get(program, []), f"nobody knows {' '.join(words)}"
        assert program != "python" or arguments[0] == "-m" or (ROOT / arguments[0]).is_file(), words
        return "parsed"
    if block.note("runs") is None and block.note("fails") is None:
        parse(arguments)
        return "parsed"
    done = CliRunner(env={"COLUMNS": "200"}).invoke(make_app(), arguments)
    if block.note("fails") is None:
        assert done.exit_code == 0, f"{' '.join(words)}: {done.output}"
    else:
        assert (done.exit_code, done.stdout) == (2, ""), done.output
        assert block.said, f"the page says nothing of {' '.join(words)}"
        assert done.stderr.startswith(block.said), done.stderr
    return "ran"


def parse(arguments: list[str]) -> None:
    """Find the command and read its options, without calling it; fails with what is wrong with them."""
    command: Any = get_command(make_app())
    with typer.Context(command, info_name="mercuric") as parent:
        name = "mercuric"
        try:
            while hasattr(command, "commands") and not arguments[0].startswith("--"):
                name, command, arguments = command.resolve_command(parent, list(arguments))
            command.make_context(name, list(arguments), parent=parent)
        except (typer.Exit, SystemExit):
            return
        except Exception as error:
            said = error.format_message() if hasattr(error, "format_message") else str(error)
            if said == "Missing option '--out'.":  # the pages of claims leave out where results go
                return
            pytest.fail(f"mercuric {name} {' '.join(arguments)}: {said}")


TEXT = """
<!-- before
one = 1
-->
```python
two = one + one
```

<!-- raises -->
```python
int("x")
```
```text
invalid literal
```

    mercuric simulate vgg13 --imges 3    # misspelt
    formula = 5
"""


def test_the_rule_itself() -> None:
    first, second, indented = blocks(TEXT)
    names: dict[str, Any] = {}
    run_python(first, names)
    assert names["two"] == 2
    run_python(second, names)
    second.said = "something else"
    with pytest.raises(AssertionError):
        run_python(second, names)
    (words,) = indented.commands
    with pytest.raises(pytest.fail.Exception, match=r"mercuric simulate .*[Nn]o such option"):
        do_command(indented, words)
    with pytest.raises(pytest.fail.Exception, match="No such command 'frobnicate'"):
        parse(["frobnicate"])
    with pytest.raises(AssertionError, match="nobody knows make everything"):
        do_command(Block("bash", ""), ["make", "everything"])
