"""How does a person see that long work goes on?"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from mercuric.studies.train.study import Progress as TellTraining

Tell = Callable[[str, int, int, str], None]
"""Called with a bar's label, steps done, steps in all, and what is going on."""


@contextmanager
def bars(console: Console) -> Iterator[Tell]:
    """A bar for each label; nothing at all where the console is no terminal."""
    shown = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[what]}", markup=False),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    tasks: dict[str, TaskID] = {}
    with shown:

        def tell(label: str, done: int, total: int, what: str) -> None:
            if label not in tasks:
                tasks[label] = shown.add_task(label, total=total, what=what)
            shown.update(tasks[label], completed=done, total=total, what=what)

        yield tell


@contextmanager
def part_bar(console: Console) -> Iterator[Callable[[int, int, str], None]]:
    """One bar, told parts done, parts in all and what comes next; nothing where there is no terminal."""
    with bars(console) as tell:
        yield lambda done, total, what: tell("", done, total, what)


@contextmanager
def training_bars(console: Console) -> Iterator[TellTraining]:
    """A bar for each run and seed."""
    with bars(console) as tell:
        yield lambda run, seed, done, total, what: tell(f"{run}, seed {seed}", done, total, what)
