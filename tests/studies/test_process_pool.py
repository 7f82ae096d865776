"""Is a killed process one sentence, and does the work go on where it ended?"""

import os
import signal
import subprocess
import sys
from multiprocessing import active_children
from pathlib import Path

import pytest
import torch

from mercuric.errors import MercuricError
from mercuric.studies.accuracy.study import measure
from mercuric.studies.process_pool import process_pool
from mercuric.studies.shrink.config import ShrinkConfig
from mercuric.studies.shrink.study import shrink
from mercuric.studies.sweep.config import SweepConfig
from mercuric.studies.sweep.study import sweep
from mercuric.studies.train.config import RunConfig
from mercuric.studies.workers import Workers
from mercuric.training import TrainingConfig

SENTENCE = "^a process was killed, perhaps for want of memory; the same command with --resume and"
TRAINING = TrainingConfig(batch_size=8)
TINY = {"model": "custom-cnn", "width": 0.125, "image_size": 16, "train_examples": 16, "training": TRAINING}


def kill_workers(*_: object) -> None:
    for process in active_children():
        if process.name.startswith("SpawnProcess"):
            process.kill()


def test_the_cores_are_shared_and_a_lost_process_is_a_failed_run() -> None:
    with process_pool(2) as pool:
        assert pool.submit(torch.get_num_threads).result() == max(1, torch.get_num_threads() // 2)
    with pytest.raises(MercuricError, match=SENTENCE) as caught, process_pool(1) as pool:
        pool.submit(os._exit, 1).result()
    assert caught.value.exit_code == 1
    assert not [process for process in active_children() if process.name.startswith("SpawnProcess")]


def test_a_sweep_whose_process_was_killed_goes_on(tmp_path: Path) -> None:
    config = SweepConfig(
        models=("custom-cnn",), vary={"entries": (64, 128, 256)}, images=1, bits=8, image_size=16
    )
    with pytest.raises(MercuricError, match=SENTENCE):
        sweep(config, tmp_path, Workers(2), progress=kill_workers)
    # A process killed while it wrote leaves a temporary file, which whoever goes on removes.
    parts = [part for part in (tmp_path / "parts").iterdir() if not part.name.startswith(".")]
    kept = {part: part.stat().st_mtime_ns for part in parts}
    assert 1 <= len(kept) < 3
    assert sweep(config, tmp_path, resume=True)["entries"].nunique() == 3
    assert all(part.stat().st_mtime_ns == written for part, written in kept.items())


def test_rows_whose_process_was_killed_go_on(tmp_path: Path) -> None:
    rows = {"narrow": RunConfig(runs=("dense", "reuse"), seeds=(0,), **TINY)}
    with pytest.raises(MercuricError, match=SENTENCE):
        measure(rows, tmp_path, Workers(2), progress=kill_workers)
    assert not (tmp_path / "accuracy.csv").exists()
    (row,) = measure(rows, tmp_path, resume=True)
    assert row.seeds == 1 and (tmp_path / "accuracy.csv").exists()


def test_a_search_whose_process_was_killed_goes_on(tmp_path: Path) -> None:
    config = ShrinkConfig(**TINY)
    with pytest.raises(MercuricError, match=SENTENCE):
        shrink(config, tmp_path, trials=4, jobs=2, progress=kill_workers)
    trained = len(list(tmp_path.glob("trials/*/network.safetensors")))
    assert trained
    assert len(shrink(config, tmp_path, trials=4, jobs=1, resume=True)["trials"]) == 4


ORPHANS = """
import os, time
from mercuric.studies.process_pool import process_pool
if __name__ == "__main__":
    with process_pool(1) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        pool.submit(time.sleep, 600).result()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_workers_end_with_their_parent(number: signal.Signals, tmp_path: Path) -> None:
    program = tmp_path / "parent.py"
    program.write_text(ORPHANS)
    command = [sys.executable, str(program)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        parent.send_signal(number)
        # The worker has the other end of the pipe as well: it closes once both are gone.
        assert parent.stdout.read() == b""
    assert not Path(f"/proc/{worker}").exists() or is_zombie(worker)


def is_zombie(process: int) -> bool:
    return ") Z " in Path(f"/proc/{process}/stat").read_text()
