"""Do two real processes decide alike, and refuse alike to be set up differently?"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mercuric.reuse.distributed import agree, require_same
from mercuric.reuse.judge.judge import Cost

RANKS = """
import json, os, sys
from datetime import timedelta
import torch.distributed as dist
from mercuric.reuse.judge.judge import Cost
from mercuric.reuse.distributed import agree, require_same

folder = sys.argv[1]
other = os.fork()  # one import serves both
rank = 0 if other else 1
dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2,
                        timeout=timedelta(seconds=600))
costs = [{"b": Cost(3, 4), "a": None, "c": None}, {"a": Cost(10, 20), "b": Cost(0.5, 1), "c": None}][rank]
loss, agreed = agree([1.0, 4.0][rank], costs)
told = {"loss": loss, "costs": {name: cost and [*vars(cost).values()] for name, cost in agreed.items()}}
require_same({"bits": 20, "layers": ["conv1", "conv2"]})
require_same([{"of": {"a": 1, "b": {"c": 2, "d": 3}}}, {"of": {"b": {"d": 3, "c": 2}, "a": 1}}][rank])
try:
    mine = {"bits": 20 + rank, "seed": 3, "layers": ["x" * 100, str(rank)]} | ({"ways": 16} if rank else {})
    require_same(mine)
except ValueError as error:
    told["refused"] = str(error)
if rank:
    loss = float("nan")
told["nan"] = str(agree(loss, {})[0])
with open(f"{folder}/{rank}.json", "w") as file:
    json.dump(told, file)
dist.destroy_process_group()
if other and os.waitpid(other, 0)[1]:
    sys.exit("rank 1 failed")
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    """What the two ranks wrote."""
    folder = tmp_path_factory.mktemp("ranks")
    subprocess.run([sys.executable, "-c", RANKS, str(folder)], check=True, timeout=1200)
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(2)]


def test_losses_are_averaged_and_costs_summed(told: list[dict]) -> None:
    for one in told:
        assert one["loss"] == 2.5
        assert one["costs"] == {"a": [10, 20], "b": [3.5, 5], "c": None}


def test_a_loss_that_is_no_number_reaches_every_rank(told: list[dict]) -> None:
    assert [one["nan"] for one in told] == ["nan", "nan"]


def test_what_differs_is_refused_on_every_rank_by_the_same_sentence(told: list[dict]) -> None:
    assert told[0]["refused"] == told[1]["refused"]
    beginning = '["' + "x" * 58 + "…"
    assert told[0]["refused"] == (
        "all ranks must be set up alike, but bits was 20 on rank 0, 21 on rank 1; "
        f"layers was {beginning} on rank 0, {beginning} on rank 1; ways was missing on rank 0, 16 on rank 1"
    )


def test_a_process_alone_keeps_what_it_has(tmp_path: Path) -> None:
    costs = {"a": Cost(1, 2), "b": None}
    assert agree(0.5, costs) == (0.5, costs)
    require_same({"path": tmp_path})
