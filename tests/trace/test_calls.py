"""Do a network and its saved Hitmaps tell the same calls in the same way?"""

import weakref
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from mercuric import ReuseConfig, data, zoo
from mercuric.accelerator import preset
from mercuric.accelerator.count.similarity_tally import SimilarityTally
from mercuric.accelerator.count.simulation import simulate_calls
from mercuric.trace.calls import Calls, KnownCalls, RunFacts
from mercuric.trace.hitmaps.about import HitmapAbout
from mercuric.trace.hitmaps.folder import HitmapFolderWriter
from mercuric.trace.hitmaps.saved import open_hitmaps, saved_calls
from mercuric.trace.hitmaps.store import HitmapWriter
from mercuric.trace.layer_call import LayerCall
from mercuric.trace.network_calls import NetworkCalls

CONFIG = ReuseConfig.paper(entries=1024, ways=16)


@pytest.fixture
def network() -> NetworkCalls:
    torch.manual_seed(0)
    images = data.load("photos", image_size=16).train.batch(torch.arange(3))[0]
    return NetworkCalls(zoo.build("custom-cnn", 7, 3, 16), list(images.split(2)), CONFIG)


@pytest.mark.parametrize("form", ["Parquet", "CSV"])
def test_whoever_counts_takes_either(network: NetworkCalls, tmp_path: Path, form: str) -> None:
    tally, path = SimilarityTally(), tmp_path / "hitmaps"
    write = HitmapWriter if form == "Parquet" else HitmapFolderWriter
    with write(path, HitmapAbout({"model": "custom-cnn"}, CONFIG)) as writer:
        facts = network.tell(tally.add, writer.add)
        writer.finish(tally.layers(facts), facts.run)
    saved: Calls = saved_calls(open_hitmaps(path))
    accelerator = preset("weight-168")
    live, again = (simulate_calls(calls, accelerator) for calls in (network, saved))
    assert again.layers.equals(live.layers)
    assert again.summary() == live.summary()


def test_every_listener_hears_every_call_in_turn() -> None:
    torch.manual_seed(0)
    heard: list[tuple[str, str]] = []
    calls = NetworkCalls(
        nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3)), [torch.randn(1, 3, 8, 8)], CONFIG
    )
    facts = calls.tell(*(lambda call, who=who: heard.append((who, call.layer)) for who in "ab"))  # type: ignore[misc]
    assert heard == [("a", "0"), ("b", "0"), ("a", "1"), ("b", "1")]
    assert facts.order == ("0", "1")
    assert set(facts.errors) == {"0", "1"}
    assert (facts.normalisation, facts.run["coverage"]["dense"]) == ("none", [])


def test_of_a_call_nothing_is_kept_when_the_next_one_comes(network: NetworkCalls) -> None:
    alive: list[weakref.ref[Tensor]] = []

    def listen(call: LayerCall) -> None:
        assert all(state() is None for state in alive)
        if call.work.hitmap is not None:
            alive.append(weakref.ref(call.work.hitmap.states))

    network.tell(listen)
    assert len(alive) == 2 * 5


def test_what_a_listener_raises_goes_through_and_the_model_is_left_alone(network: NetworkCalls) -> None:
    types = [type(module) for module in network.model.modules()]
    with pytest.raises(KeyError, match="full"):
        network.tell(lambda _: {}["full"])
    assert [type(module) for module in network.model.modules()] == types
    assert not any(one._forward_hooks or one._forward_pre_hooks for one in network.model.modules())


def test_calls_that_nobody_ran_have_no_facts() -> None:
    assert KnownCalls(CONFIG, (), RunFacts()).tell() == RunFacts((), {}, None, None, {})
