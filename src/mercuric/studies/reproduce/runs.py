"""Which studies answer the claims, and with which settings? Command lines, as a user types them."""

import shlex
from collections.abc import Iterable, Mapping
from functools import cache
from graphlib import TopologicalSorter
from importlib.resources import files
from pathlib import Path
from string import Formatter

from mercuric.config import Config
from mercuric.files.reading import parse_yaml
from mercuric.studies.study import STUDIES


class Run(Config):
    """A study's command without ``mercuric`` and without where it goes.

    ``{NAME}`` stands for the folder of another run, which must be there first.

    Attributes:
        full: the whole answer.
        quick: a smaller one; the same where it is None, left out where it is empty.
        data: whether it takes images, so that ``--data`` may choose others.
    """

    full: str
    quick: str | None = None
    data: bool = True

    def left_out(self, quick: bool) -> bool:
        """Whether a quick answer does without it."""
        return not self._line(quick)

    def after(self, quick: bool) -> list[str]:
        """Runs whose folders it reads."""
        return [name for _, name, _, _ in Formatter().parse(self._line(quick)) if name]

    def command(self, quick: bool, data: str | None, folders: Mapping[str, Path]) -> list[str]:
        """Its words, with ``data`` in place of what it says itself."""
        line = self._line(quick).format_map({name: shlex.quote(str(path)) for name, path in folders.items()})
        words = shlex.split(line)
        if data is None or not self.data:
            return words
        if "--data" in words:
            at = words.index("--data")
            words[at : at + 2] = []
        return [*words, "--data", data]

    def resumes(self, quick: bool) -> bool:
        """Whether its study goes on with what was stopped."""
        words = self._line(quick).split()
        fitting = [one for one in STUDIES if all(word in words for word in one.words)]
        return max(fitting, key=lambda one: len(one.words)).stopped != "stopped"

    def _line(self, quick: bool) -> str:
        return self.quick if quick and self.quick is not None else self.full


@cache
def all_runs() -> Mapping[str, Run]:
    """Every run by name."""
    path = files("mercuric.studies.reproduce") / "runs.yaml"
    return {
        name: Run(**fields)
        for name, fields in parse_yaml(path.read_text(encoding="utf-8"), path.name).items()
    }


def needed_runs(names: Iterable[str], quick: bool) -> list[str]:
    """The runs and all that they read, each after what it reads; without those that are left out."""
    known = all_runs()
    needs: dict[str, list[str]] = {}
    open_ = [name for name in names if not known[name].left_out(quick)]
    while open_:
        name = open_.pop()
        if name not in needs:
            needs[name] = known[name].after(quick)
            open_ += needs[name]
    order = list(known)
    return list(
        TopologicalSorter({name: needs[name] for name in sorted(needs, key=order.index)}).static_order()
    )
