"""Where do the figures of a training run go while it runs?"""

import json
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mercuric.files import write_text
from mercuric.reading import MOST_LOG, parse_json, read_text
from mercuric.training.events import EventFile


class MetricsLog:
    """Appends to ``metrics.jsonl`` and to TensorBoard event files, a run and seed at a time.

    Args:
        folder: the run's folder.
        run: ``"dense"`` or ``"reuse"``.
        seed: the run's seed.
        step: steps already done; later lines of the same run and seed are taken out, for a killed
            run wrote past its last checkpoint.
    """

    def __init__(self, folder: Path, run: str, seed: int, step: int) -> None:
        self._labels = {"run": run, "seed": seed}
        path = folder / "metrics.jsonl"
        _drop_later(path, run, seed, step)
        self._lines = path.open("a", encoding="utf-8")
        self._events = EventFile(folder / "events" / f"{run}-{seed}", step + 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._lines.close()
        finally:
            self._events.close()

    def step(self, epoch: int, step: int, loss: float, rate: float, seconds: float) -> None:
        """Log one training step."""
        figures = {"loss": loss, "lr": rate}
        self._write("step", epoch, step, figures, seconds)

    def epoch(self, epoch: int, step: int, figures: dict[str, float], seconds: float) -> None:
        """Log the end of an epoch."""
        self._write("epoch", epoch, step, figures, seconds)

    def _write(self, event: str, epoch: int, step: int, figures: dict[str, float], seconds: float) -> None:
        place = {"epoch": epoch, "step": step}
        line = {"event": event, **self._labels, **place, **figures, "seconds": round(seconds, 3)}
        self._lines.write(json.dumps(line) + "\n")
        self._lines.flush()
        self._events.add(figures, step)


def _drop_later(path: Path, run: str, seed: int, step: int) -> None:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        return
    kept = [
        line
        for line in read_text(path, MOST_LOG).splitlines()
        if (read := _parse(line)) is not None
        and not (read["run"] == run and read["seed"] == seed and read["step"] > step)
    ]
    write_text(path, "".join(line + "\n" for line in kept))


def _parse(line: str) -> dict[str, Any] | None:
    # A killed run can leave its last line cut off.
    try:
        read: dict[str, Any] = parse_json(line, "the line", infinite=True)
    except ValueError:
        return None
    return read
