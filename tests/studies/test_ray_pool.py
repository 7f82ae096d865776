"""Do pieces run on every node of a Ray cluster, and is nothing lost with a node?"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

import mercuric
from mercuric.cli.app import make_app
from mercuric.errors import MercuricError
from mercuric.studies import ray_pool as pools
from mercuric.studies.accuracy.study import measure
from mercuric.studies.ray_pool import ray_pool
from mercuric.studies.reproduce import study as reproduction
from mercuric.studies.reproduce.config import ReproduceConfig
from mercuric.studies.reproduce.runs import Run
from mercuric.studies.sweep.config import SweepConfig
from mercuric.studies.sweep.study import sweep
from mercuric.studies.train.config import RunConfig
from mercuric.studies.workers import Workers
from mercuric.training import TrainingConfig

ray: Any = pytest.importorskip("ray", reason="Ray is not installed: it is in the extra distributed")
NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False}
SWEEP = SweepConfig(models=("custom-cnn",), vary={"entries": (64, 128, 256)}, images=1, bits=8, image_size=16)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    from ray.cluster_utils import Cluster

    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers don't find this file
    os.environ.setdefault(pools.NICENESS, "0")
    made = Cluster(initialize_head=True, head_node_args=NODE)
    yield made
    made.shutdown()


@pytest.fixture
def second(cluster: Any) -> Iterator[Any]:
    node = cluster.add_node(**NODE)
    yield node
    if node in cluster.list_all_nodes():
        cluster.remove_node(node, allow_graceful=False)


def wait_for_leave(folder: Path, number: int) -> int:
    (folder / f"{number} {ray.get_runtime_context().get_node_id()} {time.time_ns()}").touch()
    while not (folder / f"leave-{number}").exists():
        time.sleep(0.05)
    return number


def begun(folder: Path) -> list[list[str]]:
    return [path.name.split() for path in folder.iterdir() if " " in path.name]


def test_a_piece_whose_node_is_killed_is_done_again(cluster: Any, second: Any, tmp_path: Path) -> None:
    with ray_pool(cluster.address, None, tmp_path) as pool:
        assert pool.at_once == 2
        pieces = [pool.submit(wait_for_leave, tmp_path, number) for number in range(2)]
        while len(begun(tmp_path)) < 2:
            time.sleep(0.05)
        numbers = {node: number for number, node, _ in begun(tmp_path)}
        assert len(numbers) == 2  # a piece on each node
        lost = numbers.pop(second.node_id)
        ((kept, other),) = numbers.items()
        cluster.remove_node(second, allow_graceful=False)
        (tmp_path / f"leave-{other}").touch()
        while len(begun(tmp_path)) < 3:
            time.sleep(0.05)
        (tmp_path / f"leave-{lost}").touch()
        assert [piece.result() for piece in pieces] == [0, 1]
    assert sorted(node for number, node, _ in begun(tmp_path) if number == lost) == sorted(
        [kept, second.node_id]
    )


def test_a_sweep_loses_nothing_with_a_node_and_goes_on_from_its_folder(
    cluster: Any, second: Any, tmp_path: Path
) -> None:
    def kill(done: int, *_: object) -> None:
        if done == 1:
            cluster.remove_node(second, allow_graceful=False)

    workers = Workers(ray=cluster.address)
    alone = sweep(SWEEP, tmp_path / "alone")
    spread = sweep(SWEEP, tmp_path / "spread", workers, progress=kill)
    assert spread.equals(alone)
    parts = sorted((tmp_path / "spread" / "parts").iterdir())
    assert len(parts) == 3
    assert sorted(pd.read_parquet(tmp_path / "spread" / "parts")["entries"].unique()) == [64, 128, 256]
    kept = {part: part.stat().st_mtime_ns for part in parts[1:]}
    parts[0].unlink()
    assert sweep(SWEEP, tmp_path / "spread", workers, resume=True).equals(alone)
    assert parts[0].exists() and all(part.stat().st_mtime_ns == at for part, at in kept.items())


def test_rows_of_trainings_tell_how_far_they_are(cluster: Any, tmp_path: Path) -> None:
    row = RunConfig(
        model="custom-cnn", width=0.125, image_size=16, train_examples=16, runs=("dense", "reuse"),
        seeds=(0,), training=TrainingConfig(batch_size=8, epochs=1),
    )  # fmt: skip
    told: list[tuple[Any, ...]] = []
    (measured,) = measure(
        {"narrow": row}, tmp_path, Workers(ray=cluster.address), progress=lambda *one: told.append(one)
    )
    assert measured.seeds == 1 and told[-1][:2] == (4, 4)
    with pytest.raises(MercuricError, match="narrow holds a run already; add --resume"):
        measure({"narrow": row}, tmp_path, Workers(ray=cluster.address))


def test_studies_of_a_reproduction_run_on_nodes(
    cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = {**reproduction.all_runs(), "hitmaps": Run(full="hitmap custom-cnn --images 1 --image-size 32")}
    monkeypatch.setattr(reproduction, "all_runs", lambda: runs)
    config = ReproduceConfig(claims=("scale_sim_hits",))
    outcomes = reproduction.reproduce(config, tmp_path, Workers(ray=cluster.address))
    assert {name: one.said for name, one in outcomes.items()} == {"hitmaps": None}


def test_a_node_of_another_version_is_named(cluster: Any, tmp_path: Path) -> None:
    other = tmp_path / "other" / "mercuric"
    other.mkdir(parents=True)
    for path in Path(mercuric.__file__).parent.iterdir():
        if path.name not in ("version.py", "__pycache__"):
            (other / path.name).symlink_to(path)
    (other / "version.py").write_text('__version__ = "0.0.1"\n')
    node = cluster.add_node(**NODE, env_vars={"PYTHONPATH": str(other.parent)})
    said = r"^node \S+ \(\S+\) has mercuric 0.0.1, but this command is of .*; install that there$"
    try:
        with pytest.raises(MercuricError, match=said), ray_pool(cluster.address, None, tmp_path):
            pass
    finally:
        cluster.remove_node(node, allow_graceful=False)


def refused(tmp_path: Path, address: str) -> str:
    line = [
        "sweep",
        "custom-cnn",
        "--images",
        "1",
        "--set",
        "entries=64",
        "--out",
        str(tmp_path),
        "--ray",
        address,
    ]
    result = CliRunner().invoke(make_app(), line)
    assert result.exit_code == 2, result.output
    return " ".join(result.output.split())


def test_an_address_without_a_cluster_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "_HEALTHY_WITHIN", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        assert "but what answers there is no Ray cluster" in refused(tmp_path, f"127.0.0.1:{port}")
    assert "but nothing answers there" in refused(tmp_path / "closed", f"127.0.0.1:{port}")
    assert "but must be local, auto or HOST:PORT" in refused(tmp_path / "form", "somewhere")


def test_without_ray_its_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    said = refused(tmp_path, "local")
    assert 'needs ray, which is not installed; install it with: pip install "mercuric[distributed]"' in said


def test_a_study_s_command_ends_with_it() -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "mercuric.studies.child", "--version"], stdin=subprocess.PIPE
    )
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait(60) == 1
