"""Do two processes under DistributedDataParallel learn and decide what one does?"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import ddp_training
import pytest
import torch
import torch.nn.functional as F

from mercuric.data import load


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight photographs, and what two ranks wrote about them."""
    made = tmp_path_factory.mktemp("ranks")
    images, labels = load("photos").test.batch(torch.arange(8))
    torch.save((F.avg_pool2d(images, 2), labels % 4), made / "batch.pt")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    subprocess.run(
        [*command, ddp_training.__file__, str(made)], check=True, timeout=1200, capture_output=True
    )
    return made


@pytest.fixture(scope="module")
def told(folder: Path) -> list[dict[str, Any]]:
    """What each rank wrote."""
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(2)]


def test_ranks_end_with_the_same_weights_and_decisions(told: list[dict[str, Any]], backward: str) -> None:
    ranks = [one[backward] for one in told]
    assert ranks[0]["weights"] == ranks[1]["weights"]
    assert ranks[0]["changes"] == ranks[1]["changes"]
    assert ranks[0]["changes"] == [[2, "convolution", 0], [2, None, 13], [3, None, 14]]
    assert ranks[0]["on"] == ranks[1]["on"]
    assert [name for name, on in ranks[0]["on"].items() if not on] == ["convolution"]


def test_two_ranks_learn_what_one_does_with_twice_the_batch(
    folder: Path, told: list[dict[str, Any]], backward: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scope is the image, the classifier dense: an image's results depend on no other image."""
    monkeypatch.setattr(sys, "argv", ["ddp_training.py", str(folder)])
    alone = ddp_training.train(0, 1, backward=backward)
    assert alone["changes"] == [tuple(change) for change in told[0][backward]["changes"]]
    assert alone["hits"] == sum(one[backward]["hits"] for one in told) > 0
    start = ddp_training.Rows().parameters()
    for one, both, before in zip(alone["weights"], told[0][backward]["weights"], start, strict=True):  # type: ignore[call-overload]
        torch.testing.assert_close(torch.tensor(both), torch.tensor(one), rtol=1e-3, atol=1e-5)
        assert not torch.allclose(torch.tensor(one), before, rtol=1e-3, atol=1e-4)


def test_ranks_that_disagree_refuse_with_the_same_sentence(told: list[dict[str, Any]]) -> None:
    assert told[0]["refused"] == told[1]["refused"]
    assert told[0]["refused"].startswith(
        "all ranks must be set up alike, but bits was 12 on rank 0, 13 on rank 1"
    )
