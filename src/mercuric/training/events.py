"""How does TensorBoard see a run while it goes on?"""

import itertools
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog  # type: ignore[import-untyped]
from tensorboard.compat.proto.summary_pb2 import Summary  # type: ignore[import-untyped]
from tensorboard.summary.writer.record_writer import RecordWriter  # type: ignore[import-untyped]

_NUMBERS = itertools.count()


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
        # TensorBoard reads files by name: nanoseconds keep those of one second in order.
        name = f"{time.time_ns():020d}.{socket.gethostname()}.{os.getpid()}.{next(_NUMBERS)}"
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
        event.wall_time = time.time()
        self._records.write(event.SerializeToString())
