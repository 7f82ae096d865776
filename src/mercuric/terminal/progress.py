"""How does a person see that long work goes on?"""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from mercuric.progress import Progress
from mercuric.terminal.console import errors


@contextmanager
def bars() -> Iterator[Progress]:
    """A bar for each work, on the error stream; nothing at all where that is no terminal."""
    console = errors()
    shown = Bars(
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

        def tell(done: int, total: int, what: str = "", bar: str = "", /) -> None:
            if bar not in tasks:
                tasks[bar] = shown.add_task(bar, total=total, what=what)
            shown.update(tasks[bar], completed=done, total=total, what=what)

        yield tell
