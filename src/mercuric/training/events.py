"""How does TensorBoard see a run while it goes on?"""

import itertools
import os
import re
import socket
import time
from collections.abc import Mapping
from pathlib import Path

from mercuric.extras import needed_for

with needed_for("mercuric.training"):
    from tensorboard.compat.proto.event_pb2 import Event, SessionLog  # type: ignore[import-untyped]
    from tensorboard.compat.proto.summary_pb2 import Summary  # type: ignore[import-untyped]
    from tensorboard.summary.writer.record_writer import RecordWriter  # type: ignore[import-untyped]

_NUMBERS = itertools.count()
_NAME = re.compile(r"events\.out\.tfevents\.(\d{20})\.")


class EventFile:
    """A TensorBoard event file, written at once and by no thread: a full disk fails where it is noticed.

    Args:
        folder: gets one more event file; TensorBoard reads a folder's files as one run.
        step: what files before hold of this step and later ones is void.

    Raises:
        OSError: it can't be written.
    """

    def __init__(self, folder: Path, step: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # TensorBoard reads files by name and never goes back: a clock that was set back must not either.
        self._started = max(time.time_ns(), _latest(folder) + 1)
        name = f"{self._started:020d}.{socket.gethostname()}.{os.getpid()}.{next(_NUMBERS)}"
        self._file = (folder / f"events.out.tfevents.{name}").open("ab", buffering=0)
        self._records = RecordWriter(self._file)
        self._add(Event(file_version="brain.Event:2"))
        self._add(Event(session_log=SessionLog(status=SessionLog.START), step=step))

    def add(self, figures: Mapping[str, float], step: int) -> None:
        """Write figures of a step."""
        values = [Summary.Value(tag=name, simple_value=value) for name, value in figures.items()]
        self._add(Event(summary=Summary(value=values), step=step))

    def close(self) -> None:
        """Nothing more will be written."""
        self._file.close()

    def _add(self, event: Event) -> None:
        event.wall_time = max(time.time(), self._started / 1e9)
        self._records.write(event.SerializeToString())


def _latest(folder: Path) -> int:
    """The nanoseconds in the name of the last event file there is, or 0."""
    starts = (_NAME.match(path.name) for path in folder.iterdir())
    return max((int(start[1]) for start in starts if start), default=0)
