import json
from pathlib import Path

import pytest

from mercuric.training.metrics import MetricsLog


def log_steps(folder: Path, run: str, seed: int, steps: range, start: int = 0) -> None:
    with MetricsLog(folder, run, seed, start) as log:
        for step in steps:
            log.step(0, step, 1.5, 0.1, 0.01)


def places(folder: Path) -> list[tuple[str, int, int]]:
    read = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [(line["run"], line["seed"], line["step"]) for line in read]


def test_later_lines_of_the_same_run_and_seed_are_taken_out(tmp_path: Path) -> None:
    log_steps(tmp_path, "dense", 0, range(1, 5))
    log_steps(tmp_path, "reuse", 0, range(1, 5))
    log_steps(tmp_path, "reuse", 1, range(1, 3))
    log_steps(tmp_path, "reuse", 0, range(3, 4), start=2)
    dense = [("dense", 0, step) for step in (1, 2, 3, 4)]
    assert places(tmp_path) == [*dense, ("reuse", 0, 1), ("reuse", 0, 2), ("reuse", 1, 1), ("reuse", 1, 2),
                                ("reuse", 0, 3)]  # fmt: skip


@pytest.mark.parametrize("cut", [1, 20, 100])
def test_a_cut_off_last_line_is_dropped(tmp_path: Path, cut: int) -> None:
    log_steps(tmp_path, "dense", 0, range(1, 4))
    path = tmp_path / "metrics.jsonl"
    path.write_bytes(path.read_bytes()[: -1 - cut])
    log_steps(tmp_path, "dense", 0, range(3, 4), start=2)
    assert places(tmp_path) == [("dense", 0, 1), ("dense", 0, 2), ("dense", 0, 3)]


def test_a_line_is_on_disk_before_the_next(tmp_path: Path) -> None:
    with MetricsLog(tmp_path, "dense", 0, 0) as log:
        log.step(0, 1, 1.25, 0.1, 0.12345)
        assert (tmp_path / "metrics.jsonl").read_text() == (
            '{"event": "step", "run": "dense", "seed": 0, "epoch": 0, "step": 1, "loss": 1.25, "lr": 0.1, '
            '"seconds": 0.123}\n'
        )
