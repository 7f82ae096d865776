"""Benchmarks where ``torch.compile`` doesn't work."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from typer.testing import Result

from mercuric.studies.bench import compiler

Run = Callable[..., Result]
Refused = Callable[..., str]
COMMANDS = ("conv", "linear", "attention", "train", "prefixes", "front")


@pytest.fixture(autouse=True)
def without_compiler(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def fail(_: object, **__: Any) -> None:
        raise RuntimeError("no compiler")

    monkeypatch.setattr(torch, "compile", fail)
    for known in (compiler.compiler_works, compiler._compiles):
        known.cache_clear()
    yield
    for known in (compiler.compiler_works, compiler._compiles):
        known.cache_clear()


@pytest.mark.parametrize("command", COMMANDS)
def test_compiling_is_refused_in_a_sentence(command: str, mercuric: Run, refused: Refused) -> None:
    said = refused(mercuric("bench", command, "--quick", "--compile"))
    assert "--compile was given, but torch.compile doesn't work here; it needs a C++ compiler" in said


def test_what_compiles_by_itself_goes_on_and_says_so_once() -> None:
    with pytest.warns(UserWarning, match="nothing is timed compiled") as said:
        assert not compiler.compiler_works() and not compiler.compiler_works()
    assert len(said) == 1
