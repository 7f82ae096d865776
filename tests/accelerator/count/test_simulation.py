from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import mercuric
from mercuric import ReuseConfig, data, zoo
from mercuric.accelerator import Accelerator, Simulation, preset
from mercuric.accelerator.count.simulation import simulate_batches


@pytest.fixture(scope="module")
def photos() -> Tensor:
    return data.load("photos", image_size=16).train.batch(torch.arange(2))[0]


@pytest.fixture
def model() -> nn.Module:
    torch.manual_seed(0)
    return zoo.build("custom-cnn", 7, 3, 16)


def state(model: nn.Module) -> dict[str, Any]:
    return {
        "types": [(name, type(module), module.training) for name, module in model.named_modules()],
        "weights": {name: tensor.clone() for name, tensor in model.state_dict().items()},
        "parameters": {name: (id(p), p.requires_grad, p.grad) for name, p in model.named_parameters()},
        "hooks": [len(module._forward_hooks) for module in model.modules()],
    }


def assert_same(before: dict[str, Any], after: dict[str, Any]) -> None:
    weights = before.pop("weights"), after.pop("weights")
    assert before == after
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0] | weights[1])


class Failing(nn.Module):
    """Raises in its forward pass number ``at``."""

    def __init__(self, inner: nn.Module, at: int) -> None:
        super().__init__()
        self.inner, self.at, self.passes = inner, at, 0

    def forward(self, x: Tensor) -> Tensor:
        self.passes += 1
        scores: Tensor = self.inner(x)
        if self.passes == self.at:
            raise RuntimeError("midway")
        return scores


@pytest.mark.parametrize("training", [True, False])
def test_the_model_is_left_as_it_was(model: nn.Module, photos: Tensor, training: bool) -> None:
    model.train(training)
    model.get_submodule("features.3").train(not training)
    next(model.parameters()).requires_grad_(False)
    before = state(model)
    mercuric.simulate(model, photos)
    assert_same(before, state(model))


@pytest.mark.parametrize("at", [1, 2])
def test_the_model_is_left_as_it_was_when_it_raises(model: nn.Module, photos: Tensor, at: int) -> None:
    failing = Failing(model, at)
    before = state(failing)
    with pytest.raises(RuntimeError, match="midway"):
        mercuric.simulate(failing, photos)
    assert failing.passes == at
    assert_same(before, state(failing))


def test_speedups_are_of_its_own_cycles(model: nn.Module, photos: Tensor) -> None:
    result = mercuric.simulate(model, photos)
    summary = result.summary()
    for timing, prefix in (("paper", "cycles"), ("fair", "fair")):
        cycles = result.cycles(timing)
        assert result.speedup(timing) == cycles.baseline / cycles.mercury == summary["speedup"][timing]
        assert cycles.baseline == result.layers[f"{prefix}_baseline"].sum()
        assert cycles.mercury == result.layers[f"{prefix}_mercury"].sum()
        assert summary["cycles"][timing]["mercury"] == cycles.mercury
    assert summary["reuse"]["hit_rate"] == result.layers["HIT"].sum() / result.layers["vectors"].sum()


def test_the_leading_timing_is_the_accelerators(model: nn.Module, photos: Tensor) -> None:
    paper = mercuric.Accelerator(name="small", rows=3, columns=4, clock_mhz=100, entries=64, ways=4)
    fair = paper.model_copy(update={"timing": "fair"})
    results = {one.timing: mercuric.simulate(model, photos, one) for one in (paper, fair)}
    assert results["paper"].speedup() == results["fair"].speedup("paper")
    summary = results["fair"].summary()["cycles"]
    assert summary["timing"] == "fair"
    assert summary["baseline"] == summary["fair"]["baseline"] != summary["paper"]["baseline"]


def test_the_cache_is_the_accelerators(model: nn.Module, photos: Tensor) -> None:
    small, large = preset("eyeriss-168").changed(name="small", entries=8, ways=2), preset("eyeriss-168")
    config = ReuseConfig.paper()
    few, many = (mercuric.simulate(model, photos, one, config) for one in (small, large))
    assert few.layers["MAU"].max() <= 8 * 2 * 64
    rates = [one.summary()["reuse"] for one in (few, many)]
    assert [(one["bits"], one["entries"], one["ways"]) for one in rates] == [(20, 8, 2), (20, 1024, 16)]
    assert rates[0]["hit_rate"] < rates[1]["hit_rate"]
    agreeing = mercuric.simulate(model, photos, small, ReuseConfig.paper(entries=8, ways=2))
    assert agreeing.layers.equals(few.layers)


@pytest.mark.parametrize("given", [{"entries": 64}, {"ways": 4}, {"entries": None}])
def test_a_configuration_of_another_cache_is_refused(
    model: nn.Module, photos: Tensor, given: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=r"of the reuse configuration was .* must be left out, or be the"):
        mercuric.simulate(model, photos, "eyeriss-168", ReuseConfig.paper(**given))


def test_directions_are_not_simulated(model: nn.Module, photos: Tensor) -> None:
    with pytest.raises(ValueError, match="config was a Directions, but must be an Alike"):
        mercuric.simulate(model, photos, config=ReuseConfig.fast())


def test_alike_images_save_more(model: nn.Module, photos: Tensor) -> None:
    flat = torch.ones(2, 3, 16, 16)
    rates = [mercuric.simulate(model, images).summary()["reuse"]["hit_rate"] for images in (photos, flat)]
    assert rates[0] < rates[1]


def test_inference_leaves_the_backward_products_out(model: nn.Module, photos: Tensor) -> None:
    result = mercuric.simulate(model, photos, training=False)
    products = result.counter.products()
    assert products.weight_gradient.baseline == products.input_gradient.baseline == 0
    assert result.cycles() == products.forward


def cycles(result: Simulation, layer: str) -> dict[str, int]:
    rows = result.layers.set_index("layer")
    return {name: int(rows.loc[layer, name]) for name in ("cycles_baseline", "cycles_mercury")}


def test_a_layer_that_cannot_reuse_costs_the_same(photos: Tensor) -> None:
    class Own(nn.Conv2d):
        """A subclass: reuse leaves it alone."""

    torch.manual_seed(0)
    model = nn.Sequential(Own(3, 4, 3), nn.Conv2d(4, 4, 3))
    result = mercuric.simulate(model, photos)
    assert set(result.layers["layer"]) == {"0", "1"}
    assert cycles(result, "0")["cycles_baseline"] == cycles(result, "0")["cycles_mercury"] > 0
    assert cycles(result, "1")["cycles_baseline"] != cycles(result, "1")["cycles_mercury"]


def test_what_is_refused(model: nn.Module, photos: Tensor) -> None:
    with pytest.raises(ValueError, match="accelerator was 'tpu', but must be one of 'broadcast-168'"):
        mercuric.simulate(model, photos, accelerator="tpu")
    narrow = Accelerator(name="narrow", rows=1, columns=2, clock_mhz=100, entries=8, ways=2)
    with pytest.raises(ValueError, match="accelerator 'narrow' has 2 PEs, but a kernel of 3 rows needs"):
        mercuric.simulate(model, photos, accelerator=narrow)
    with pytest.raises(ValueError, match=r"without any layer to count"):
        mercuric.simulate(nn.Sequential(nn.ReLU()), photos)
    mercuric.reuse_(model)
    with pytest.raises(ValueError, match="reuse layers already"):
        mercuric.simulate(model, photos)


class Unusual(nn.Conv2d):
    """A subclass, which reuse leaves alone."""


def test_layers_that_cannot_reuse_stand_in_the_networks_order(photos: Tensor) -> None:
    model = nn.Sequential(nn.Conv2d(3, 24, 3), Unusual(24, 24, 3), nn.ReLU(), nn.Conv2d(24, 24, 3))
    layers = mercuric.simulate(model, photos).layers.set_index("layer")
    assert list(layers.index) == ["0", "1", "3"]
    assert list(layers["on"]) == [True, False, True]
    assert layers["vectors"]["1"] == 0
    assert layers["cycles_mercury"]["1"] == layers["cycles_baseline"]["1"] > 0


@pytest.mark.parametrize(
    ("layers", "shape"),
    [
        ([nn.ConvTranspose1d(4, 8, 3), nn.ReLU(), nn.ConvTranspose1d(8, 8, 3, groups=4)], (2, 4, 20)),
        ([nn.Conv3d(2, 4, 3), nn.ConvTranspose3d(4, 2, 2, stride=2)], (2, 2, 6, 6, 6)),
        ([nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 4, 3))], (2, 3, 8, 8)),
    ],
)
@pytest.mark.parametrize("training", [True, False])
def test_a_network_where_nothing_reuses_is_dense_work(
    layers: list[nn.Module], shape: tuple[int, ...], training: bool
) -> None:
    model, inputs = nn.Sequential(*layers), torch.randn(shape)
    with FlopCounterMode(display=False) as counted:
        model(inputs)
    with pytest.warns(UserWarning, match="all work is counted as dense: .* 0: "):
        found = simulate_batches(model, [inputs, inputs], training=training)
    assert found.coverage is not None
    assert found.coverage["macs"] == counted.get_total_flops()  # of two batches, a multiply-accumulate is two
    assert found.speedup("paper") == found.speedup("fair") == 1
    assert found.summary()["reuse"]["hit_rate"] == 0
    with pytest.warns(UserWarning), pytest.raises(ValueError, match="NaN or infinity"):
        mercuric.simulate(model, inputs * torch.nan)


def test_a_compiled_network_and_a_word_for_a_switch_are_one_sentence(model: nn.Module) -> None:
    inputs = torch.randn(1, 3, 8, 8)
    with pytest.warns(DeprecationWarning):
        scripted = torch.jit.script(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)))
    for network, where in ((scripted, ""), (nn.Sequential(scripted), " in 0")):
        with pytest.raises(ValueError, match=f"^model was compiled to TorchScript{where}, but must be"):
            mercuric.simulate(network, inputs)
    with pytest.raises(ValueError, match=r"^training was 'inference', but must be True or False$"):
        mercuric.simulate(model, inputs, training="inference")  # type: ignore[arg-type]
    for batches in (inputs, {"input": inputs}, None, 5):
        with pytest.raises(ValueError, match=r"^batches was .*, but must be inputs one after the other"):
            simulate_batches(model, batches)  # type: ignore[arg-type]
