"""How does a person see that long work goes on?"""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from mercuric.experiments.compare import Progress as Tell


@contextmanager
def training_bars(console: Console) -> Iterator[Tell]:
    """A bar for each run and seed; nothing at all where the console is no terminal."""
    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[what]}"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    tasks: dict[tuple[str, int], TaskID] = {}
    with bars:

        def tell(run: str, seed: int, done: int, total: int, what: str) -> None:
            key = (run, seed)
            if key not in tasks:
                tasks[key] = bars.add_task(f"{run}, seed {seed}", total=total, what=what)
            bars.update(tasks[key], completed=done, what=what)

        yield tell
