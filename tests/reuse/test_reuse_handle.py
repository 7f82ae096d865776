"""Does the handle report what happened, and switch what it says?"""

import json
import math
from typing import Any

import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from mercuric import ReuseConfig, restore_, reuse_
from mercuric.reuse import Observation, similarity_rates
from mercuric.similarity import HitState

COLUMNS = ["layer", "kind", "vectors", "bits", "HIT", "MAU", "MNU", "zero", "zero_hits", "error", "on"]
CONFIG = ReuseConfig(bits=12, entries=256)


def captured_inputs(network: nn.Sequential, photographs: Tensor) -> dict[str, Tensor]:
    """What the layers are given."""
    inputs: dict[str, Tensor] = {}
    stop = [
        network.get_submodule(name).register_forward_pre_hook(
            lambda _layer, arguments, name=name: inputs.update({name: arguments[0]})
        )
        for name in ("0", "3.0", "5")
    ]
    network(photographs)
    for hook in stop:
        hook.remove()
    return inputs


def test_every_vector_is_counted_once(network: nn.Sequential, photographs: Tensor) -> None:
    handle = reuse_(network, CONFIG)
    network(photographs)
    report = handle.report()
    assert list(report.columns) == COLUMNS
    assert report["layer"].tolist() == ["0", "3.0", "5"]
    assert report["kind"].tolist() == ["conv", "conv", "linear"]
    assert report["vectors"].tolist() == [7 * 3 * 32 * 32, 7 * 8 * 7 * 7, 7]
    assert (report["HIT"] + report["MAU"] + report["MNU"]).tolist() == report["vectors"].tolist()
    assert report["bits"].tolist() == [12, 12, 12]
    assert report["on"].tolist() == [True, True, True]
    assert (report[["HIT", "MAU"]].iloc[:2] > 0).all(axis=None)
    network(photographs)
    assert handle.report()["HIT"].tolist() == (2 * report["HIT"]).tolist()
    handle.reset()
    assert (handle.report()[["vectors", "HIT", "MAU", "MNU", "zero", "zero_hits"]] == 0).all(axis=None)


def test_zero_vectors_are_counted_apart(network: nn.Sequential, photographs: Tensor) -> None:
    """After ReLU: all-zero windows of each channel; in each image and channel all but the first hit."""
    handle = reuse_(network, CONFIG)
    inputs = captured_inputs(network, photographs)["3.0"]
    windows = F.unfold(inputs, 3, stride=2).view(7 * 8, 9, 49)
    zero = (windows == 0).all(1)
    report = handle.report().set_index("layer")
    assert report["zero"]["3.0"] == zero.sum() > 20
    assert 0 < report["zero_hits"]["3.0"] < report["zero"]["3.0"]
    first = captured_inputs(network, photographs)["0"]
    padded = (F.unfold(first, 3, padding=1).view(7 * 3, 9, -1) == 0).all(1)
    assert report["zero"]["0"] == padded.sum()


def test_zero_hits() -> None:
    model = nn.Sequential(nn.Linear(3, 2))
    handle = reuse_(model)
    model(torch.tensor([[0.0, 0, 0], [1, 2, 3], [0, 0, 0], [1, 2, 3], [-0.0, 0, 0]]))
    row = handle.report().iloc[0]
    assert row[["HIT", "MAU", "MNU", "zero", "zero_hits"]].tolist() == [3, 2, 0, 3, 2]
    assert similarity_rates(handle.report()) == {"hit_rate": 0.6, "zero_rate": 0.6, "similar_rate": 0.2}
    handle.reset()
    assert similarity_rates(handle.report()) == {"hit_rate": 0, "zero_rate": 0, "similar_rate": 0}


def test_rates_are_over_all_rows() -> None:
    report = pd.DataFrame({"vectors": [10, 30], "HIT": [5, 15], "zero": [4, 4], "zero_hits": [3, 1]})
    assert similarity_rates(report) == {"hit_rate": 0.5, "zero_rate": 0.2, "similar_rate": 0.4}


def test_the_output_error_is_measured_when_asked(network: nn.Sequential, photographs: Tensor) -> None:
    handle = reuse_(network, CONFIG)
    assert handle.report()["error"].isna().all()
    inputs = captured_inputs(network, photographs)
    for name, error in zip(handle.layers, handle.report()["error"], strict=True):
        layer = network.get_submodule(name)
        reused = layer(inputs[name]).detach()
        with handle.off():
            dense = layer(inputs[name]).detach()
        assert error == pytest.approx(float((reused - dense).norm() / dense.norm()), rel=1e-4)
    assert 0.01 < handle.report()["error"][0] < 1
    network(torch.zeros_like(photographs))  # not measured: it is not due
    kept = handle.report()["error"].tolist()
    handle.measure_error()
    network(photographs[:2].flip(0))
    assert all(new != old for new, old in zip(handle.report()["error"][:2], kept[:2], strict=True))


def test_no_error_where_the_dense_output_is_zero() -> None:
    model = nn.Sequential(nn.Linear(3, 2, bias=False))
    handle = reuse_(model)
    model(torch.zeros(4, 3))
    assert handle.report()["error"].tolist() == [0.0]


def test_switching(network: nn.Sequential, photographs: Tensor) -> None:
    network.eval()
    dense = network(photographs)
    handle = reuse_(network, CONFIG)
    reused = network(photographs)
    handle.switch_off("0", "3.0")
    assert handle.report()["on"].tolist() == [False, False, True]
    handle.reset()
    network(photographs)
    assert handle.report()["vectors"].tolist() == [0, 0, 7]
    handle.switch_off()
    assert torch.equal(network(photographs), dense)
    handle.switch_on("3.0")
    assert handle.report()["on"].tolist() == [False, True, False]
    handle.switch_on()
    assert torch.equal(network(photographs), reused)
    assert not torch.equal(reused, dense)


@pytest.mark.parametrize("switch", ["switch_on", "switch_off"])
def test_switching_a_layer_that_is_not_there(network: nn.Sequential, switch: str) -> None:
    handle = reuse_(network)
    handle.switch_off("0")
    with pytest.raises(ValueError, match=r"^layer was '1', but must be one of the reuse layers: 0, 3\.0, 5$"):
        getattr(handle, switch)("0", "3.0", "1")
    assert handle.report()["on"].tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("bits", "products", "losing"),
    [
        (4, 1, []),
        (5, 1, ["5"]),
        (8, 1, ["0", "3.0", "5"]),
        (14, 3, []),
        (15, 3, ["5"]),
        (24, 3, ["0", "3.0", "5"]),
    ],
)
def test_layers_that_cannot_win_are_switched_off(
    network: nn.Sequential, bits: int, products: int, losing: list[str]
) -> None:
    """Eight, eight and five filters: all products together need more dot products than a signature."""
    handle = reuse_(network, ReuseConfig(bits=bits))
    assert handle.switch_off_losing(products) == losing
    assert handle.report()["on"].tolist() == [name not in losing for name in handle.layers]


def test_a_depthwise_layer_has_one_filter_a_channel() -> None:
    model = nn.Sequential(nn.Conv2d(32, 32, 3, groups=32), nn.Conv2d(32, 32, 3, groups=4))
    assert reuse_(model, ReuseConfig(bits=20)).switch_off_losing() == ["0"]


def test_off_restores_each_switch(network: nn.Sequential, photographs: Tensor) -> None:
    handle = reuse_(network)
    handle.switch_off("3.0")
    with pytest.raises(KeyboardInterrupt), handle.off():
        assert not handle.report()["on"].any()
        network(photographs)
        raise KeyboardInterrupt
    assert handle.report()["on"].tolist() == [True, False, True]
    assert handle.report()["vectors"].sum() == 0


def test_uncounted_restores_everything(network: nn.Sequential, photographs: Tensor) -> None:
    handle = reuse_(network, CONFIG)
    seen: list[Observation] = []
    handle.observe(seen.append)
    network(photographs)
    before = handle.report()
    handle.measure_error()
    with pytest.raises(KeyboardInterrupt), handle.uncounted():
        network(photographs[:2].flip(0))
        raise KeyboardInterrupt
    pd.testing.assert_frame_equal(handle.report(), before)
    assert len(seen) == 3
    network(photographs[3:5])  # the error is still due, and observers listen again
    assert handle.report()["error"][0] != before["error"][0]
    assert len(seen) == 6


def test_uncounted_computes_with_reuse(network: nn.Sequential, photographs: Tensor) -> None:
    network.eval()
    handle = reuse_(network, CONFIG)
    with handle.uncounted():
        output = network(photographs)
    assert torch.equal(output, network(photographs))


def test_state_dict_survives_json(network: nn.Sequential, photographs: Tensor) -> None:
    handle = reuse_(network, CONFIG)
    network(photographs)
    handle.switch_off("3.0")
    saved = json.loads(json.dumps(handle.state_dict()))
    expected = handle.report()
    handle.reset()
    handle.measure_error()
    handle.switch_on()
    handle.switch_off("0")
    handle.layers["5"].bits = 30
    handle.load_state_dict(saved)
    pd.testing.assert_frame_equal(handle.report(), expected)
    network(photographs[:2])
    assert handle.report()["error"].tolist() == expected["error"].tolist()  # not due


def test_the_state_of_a_handle_that_has_not_run(network: nn.Sequential) -> None:
    handle = reuse_(network)
    saved = json.loads(json.dumps(handle.state_dict()))
    handle.load_state_dict(saved)
    assert all(math.isnan(error) for error in handle.report()["error"])


def test_the_state_of_other_layers(network: nn.Sequential) -> None:
    handle = reuse_(network)
    saved: dict[str, Any] = handle.state_dict()
    saved["layers"]["4"] = saved["layers"].pop("3.0")
    with pytest.raises(ValueError, match=r"^the state is of another model .*: layers was 0, 5, 4, but must"):
        handle.load_state_dict(saved)


def test_the_state_of_another_configuration(network: nn.Sequential) -> None:
    saved = reuse_(network, ReuseConfig(bits=12, scope="batch")).state_dict()
    restore_(network)
    with pytest.raises(ValueError, match=r"bits was 12, but must be 40; scope was batch, but must be image$"):
        reuse_(network).load_state_dict(json.loads(json.dumps(saved)))


def test_observers_hear_of_every_pass(network: nn.Sequential, photographs: Tensor) -> None:
    handle = reuse_(network, CONFIG)
    seen: list[Observation] = []
    stop = handle.observe(seen.append)
    network(photographs)
    report = handle.report().set_index("layer")
    assert [observation.layer for observation in seen] == ["0", "3.0", "5"]
    assert [observation.bits for observation in seen] == [12, 12, 12]
    assert [observation.needs_input_gradient for observation in seen] == [False, True, True]
    for observation in seen:
        assert observation.hitmap is not None
        assert observation.hitmap.states.shape == (observation.shape.scopes, observation.shape.vectors)
        assert (observation.hitmap.states == HitState.HIT).sum() == report["HIT"][observation.layer]
    stop()
    stop()
    network(photographs)
    assert len(seen) == 3


def test_observers_hear_of_dense_passes_too(network: nn.Sequential, photographs: Tensor) -> None:
    handle = reuse_(network)
    seen: list[Observation] = []
    handle.observe(seen.append)
    with torch.no_grad(), handle.off():
        network(photographs)
    assert [(observation.hitmap, observation.bits) for observation in seen] == [(None, 0)] * 3
    assert [observation.shape.scopes * observation.shape.vectors for observation in seen] == [
        7 * 3 * 1024, 7 * 8 * 49, 7,
    ]  # fmt: skip
    assert not any(observation.needs_input_gradient for observation in seen)


def test_one_observer_stops_without_the_other(network: nn.Sequential, photographs: Tensor) -> None:
    handle = reuse_(network)
    first: list[Observation] = []
    second: list[Observation] = []
    stop = handle.observe(first.append)
    handle.observe(second.append)
    stop()
    network(photographs)
    assert (len(first), len(second)) == (0, 3)


def test_more_bits_find_less_alike(network: nn.Sequential, photographs: Tensor) -> None:
    handle = reuse_(network, ReuseConfig(bits=4, entries=None))
    hits = []
    for bits in (4, 8, 40, 70):
        handle.reset()
        handle.layers["0"].bits = bits
        network(photographs)
        assert handle.report()["bits"][0] == bits
        hits.append(handle.report()["HIT"][0])
    assert hits == sorted(hits, reverse=True)
    assert len(set(hits)) == 4


@given(st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=20)
def test_the_order_of_keys_means_nothing(random: Any) -> None:
    def layers() -> nn.ModuleDict:
        return nn.ModuleDict({name: nn.Linear(4, 4) for name in ("z", "tensor", "layer10", "layer2", "a")})

    def shuffled(state: Any) -> Any:
        if not isinstance(state, dict):
            return [shuffled(one) for one in state] if isinstance(state, list) else state
        keys = list(state)
        random.shuffle(keys)
        return {key: shuffled(state[key]) for key in keys}

    for config in (ReuseConfig.paper(), ReuseConfig(keep="faster", adaptation=None)):
        handle, other = reuse_(layers(), config), reuse_(layers(), config)
        handle.layers["tensor"].bits = 30
        handle.switch_off("z")
        handle.step(1.0)
        other.load_state_dict(shuffled(json.loads(json.dumps(handle.state_dict()))))
        assert json.dumps(other.state_dict()) == json.dumps(handle.state_dict())
        assert list(other.layers) == ["z", "tensor", "layer10", "layer2", "a"]
