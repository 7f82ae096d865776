from importlib.util import find_spec

import pytest
import torch
from torch import nn

from mercuric.accelerator.energy.energies import as_energies
from mercuric.accelerator.engines import second_opinion as module
from mercuric.accelerator.engines.second_opinion import check_engine, second_opinion
from mercuric.accelerator.hardware import preset
from mercuric.errors import MercuricError

EYERISS, TABLE = preset("eyeriss-like"), as_energies("eyeriss")


def test_the_native_engine_has_no_second_opinion() -> None:
    assert second_opinion("native", nn.Linear(4, 2), torch.ones(1, 4), EYERISS, TABLE) == []


def test_a_missing_engine_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    with pytest.raises(
        MercuricError, match=r"engine was 'zigzag', which is not installed; run `pip install "
    ):
        check_engine("zigzag")


@pytest.mark.skipif(find_spec("zigzag") is None, reason="ZigZag is an extra")
def test_zigzag_answers_for_every_layer() -> None:
    told = []
    with torch.device("meta"):
        model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.Flatten(), nn.Linear(12, 4))
        images = torch.empty(1, 2, 4, 4)
    opinions = second_opinion("zigzag", model, images, EYERISS, TABLE, lambda *seen: told.append(seen))
    assert [opinion.layer for opinion in opinions] == ["0", "2"]
    assert all(opinion.energy > 0 and opinion.cycles > 0 for opinion in opinions)
    assert told == [(1, 2), (2, 2)]
