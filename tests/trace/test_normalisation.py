import copy
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import mercuric
import mercuric.torchvision_operators
from mercuric.accelerator.count.simulation import simulate_batches
from mercuric.reuse.modes import evaluating
from mercuric.trace.normalisation import normalisation_of, normalised

import timm  # isort: skip

CHANNELS = 4


def images(count: int = 3, side: int = 6, seed: int = 1) -> Tensor:
    return torch.randn(count, 3, side, side, generator=torch.Generator().manual_seed(seed)) * 3 + 2


class Scaled(nn.BatchNorm2d):
    """A batch normalisation with a forward pass of its own."""

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            variance, mean = torch.var_mean(x, (0, 2, 3))
            assert (
                self.running_mean is not None and self.running_var is not None and self.momentum is not None
            )
            self.running_mean.lerp_(mean.detach(), self.momentum)
            self.running_var.lerp_(variance.detach(), self.momentum)
        else:
            assert self.running_mean is not None and self.running_var is not None
            mean, variance = self.running_mean, self.running_var
        return (x - mean[:, None, None]) / (variance[:, None, None] + self.eps).sqrt()


class Flattened(nn.Module):
    """A normalisation of one more or one fewer dimension."""

    def __init__(self, inner: nn.Module, dimensions: int) -> None:
        super().__init__()
        self.inner, self.dimensions = inner, dimensions

    def forward(self, x: Tensor) -> Tensor:
        if self.dimensions == 3:
            return self.inner(x[:, :, None])[:, :, 0]  # type: ignore[no-any-return]
        return self.inner(x.flatten(2)).view_as(x)  # type: ignore[no-any-return]


LAYERS: dict[str, Callable[[], nn.Module]] = {
    "BatchNorm2d": lambda: nn.BatchNorm2d(CHANNELS),
    "cumulative": lambda: nn.BatchNorm2d(CHANNELS, momentum=None),
    "without affine": lambda: nn.BatchNorm2d(CHANNELS, affine=False),
    "BatchNorm1d": lambda: Flattened(nn.BatchNorm1d(CHANNELS), 1),
    "BatchNorm3d": lambda: Flattened(nn.BatchNorm3d(CHANNELS), 3),
    "InstanceNorm2d": lambda: nn.InstanceNorm2d(CHANNELS, track_running_stats=True),
    "InstanceNorm1d": lambda: Flattened(nn.InstanceNorm1d(CHANNELS, track_running_stats=True), 1),
    "InstanceNorm3d": lambda: Flattened(nn.InstanceNorm3d(CHANNELS, track_running_stats=True), 3),
    "SyncBatchNorm": lambda: nn.SyncBatchNorm(CHANNELS),
    "timm's with activation": lambda: timm.layers.BatchNormAct2d(CHANNELS),
    "timm's SyncBatchNorm": lambda: timm.layers.SyncBatchNormAct(CHANNELS),
    "timm's EvoNorm": lambda: timm.layers.EvoNorm2dB0(CHANNELS),
    "of its own": lambda: Scaled(CHANNELS),
}
SYNCHRONISED = ("SyncBatchNorm", "timm's SyncBatchNorm")


def network(layer: nn.Module) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, CHANNELS, 3), layer, nn.ReLU(), nn.Dropout(), nn.Conv2d(CHANNELS, 5, 3))


def everything(model: nn.Module) -> dict[str, Any]:
    return {
        "modes": [module.training for module in model.modules()],
        "momentum": [getattr(module, "momentum", "none") for module in model.modules()],
        "buffers": {name: (id(one), one.clone()) for name, one in model.named_buffers()},
        "hooks": [
            len(module._forward_hooks)
            + len(module._forward_pre_hooks)
            + len(module._forward_hooks_always_called)
            for module in model.modules()
        ],
        "attributes": [sorted(vars(module)) for module in model.modules()],
    }


def assert_untouched(before: dict[str, Any], after: dict[str, Any]) -> None:
    kept = before.pop("buffers"), after.pop("buffers")
    assert before == after
    assert list(kept[0]) == list(kept[1])
    for name, (identity, value) in kept[0].items():
        assert kept[1][name][0] == identity
        assert torch.equal(kept[1][name][1], value), name


def training_output(model: nn.Module, x: Tensor) -> Tensor:
    """What a training step computes, dropout apart."""
    twin = copy.deepcopy(model).train()
    for module in twin.modules():
        if isinstance(module, nn.Dropout):
            module.eval()
    with torch.no_grad():
        return twin(x)  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", LAYERS)
def test_training_normalises_by_the_batch_and_leaves_nothing(name: str) -> None:
    model, x = network(LAYERS[name]()), images()
    before = everything(model)
    assert normalisation_of(model, training=True) == "batch"
    with torch.no_grad(), evaluating(model), normalised(model, "batch"):
        out = model(x)
    if name not in SYNCHRONISED:  # in training mode they want a GPU
        torch.testing.assert_close(out, training_output(model, x))
    assert_untouched(before, everything(model))
    assert not torch.allclose(out, model.eval()(x))


def test_synchronised_layers_normalise_as_plain_ones_do() -> None:
    x, plain = images(), network(nn.BatchNorm2d(CHANNELS))
    with torch.no_grad(), evaluating(plain), normalised(plain, "batch"):
        expected = plain(x)
    for make in (
        lambda: nn.SyncBatchNorm(CHANNELS),
        lambda: timm.layers.SyncBatchNormAct(CHANNELS),
    ):
        model = network(make())
        with torch.no_grad(), evaluating(model), normalised(model, "batch"):
            torch.testing.assert_close(model(x), expected)


@pytest.mark.parametrize("name", LAYERS)
def test_statistics_of_the_data_are_those_that_a_cumulative_pass_finds(name: str) -> None:
    model, batches = network(LAYERS[name]()), [images(seed=seed) for seed in (1, 2, 3)]
    before = everything(model)
    plain = nn.BatchNorm2d(CHANNELS, momentum=None, affine=False)
    with torch.no_grad():
        for batch in batches:
            plain(model[0](batch))
    with torch.no_grad(), evaluating(model), normalised(model, "data", batches):
        found = {key.split(".")[-1]: one for key, one in model.named_buffers()}
        if "Evo" not in name:
            torch.testing.assert_close(found["running_mean"], plain.running_mean)
        if "Instance" not in name:  # the mean over images of each one's variance is another
            torch.testing.assert_close(found["running_var"], plain.running_var)
        whole = model(batches[0])
        alone = torch.cat([model(one) for one in batches[0].split(1)])
    torch.testing.assert_close(whole, alone)
    assert_untouched(before, everything(model))


def test_inference_takes_statistics_from_the_data_unless_there_are_some() -> None:
    model = network(nn.BatchNorm2d(CHANNELS))
    assert normalisation_of(model, training=False) == "data"
    model.train()(images())
    assert normalisation_of(model, training=False) == "stored"
    assert normalisation_of(model, training=True) == "batch"
    assert normalisation_of(model, training=False, wanted="batch") == "batch"


@pytest.mark.parametrize(
    "layer",
    [
        nn.GroupNorm(2, CHANNELS),
        nn.BatchNorm2d(CHANNELS, track_running_stats=False),
        timm.layers.FrozenBatchNormAct2d(CHANNELS),
    ],
)
def test_without_running_statistics_there_is_nothing_to_say(layer: nn.Module) -> None:
    for training in (True, False):
        assert normalisation_of(network(layer), training) == "none"
        assert mercuric.simulate(network(layer), images(), training=training).normalisation == "none"


def test_an_unknown_word_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"^normalisation was 'none', but must be one of 'batch', 'data', 'stored'$"
    ):
        mercuric.simulate(network(nn.BatchNorm2d(CHANNELS)), images(), normalisation="none")  # type: ignore[arg-type]


def test_simulate_says_and_does_it() -> None:
    model, x = network(nn.BatchNorm2d(CHANNELS)), images(side=12)
    before = everything(model)
    trained = mercuric.simulate(model, x)
    assert trained.normalisation == trained.summary()["normalisation"] == "batch"
    inferred = mercuric.simulate(model, x, training=False)
    assert inferred.normalisation == "data"
    assert_untouched(before, everything(model))
    stored = mercuric.simulate(model, x, normalisation="stored")
    assert stored.normalisation == "stored"
    assert trained.layers["HIT"].tolist() != stored.layers["HIT"].tolist()


def test_batches_may_come_from_an_iterator() -> None:
    model, x = network(nn.BatchNorm2d(CHANNELS)), images(4, 8)

    def once() -> Iterator[Tensor]:
        yield from x.split(2)

    listed = simulate_batches(model, list(x.split(2)), training=False)
    streamed = simulate_batches(model, once(), training=False)
    assert listed.layers["HIT"].tolist() == streamed.layers["HIT"].tolist()


def test_one_value_a_channel_keeps_its_statistics_and_says_so() -> None:
    model = nn.Sequential(
        nn.Conv2d(3, CHANNELS, 3),
        nn.AdaptiveAvgPool2d(1),
        nn.BatchNorm2d(CHANNELS),
        nn.Flatten(),
        nn.Linear(CHANNELS, 40),
    )
    before = everything(model)
    with pytest.warns(
        UserWarning, match=r"^layer '2' normalised by its stored statistics: it read one value a channel"
    ):
        mercuric.simulate(model, images(1))
    assert_untouched(before, everything(model))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mercuric.simulate(model, images(2))
    instance = nn.Sequential(nn.Conv2d(3, CHANNELS, 6), nn.InstanceNorm2d(CHANNELS, track_running_stats=True))
    with pytest.warns(UserWarning, match="one value a channel"):
        mercuric.simulate(instance, images(2))


def test_nothing_is_left_after_an_error_or_of_a_value_that_is_no_number() -> None:
    model = network(nn.BatchNorm2d(CHANNELS))
    before = everything(model)
    bad = images()
    bad[0, 0, 0, 0] = float("nan")
    for by in ("batch", "data"):
        with torch.no_grad(), evaluating(model), normalised(model, by, [bad]):
            model(bad)
        with pytest.raises(RuntimeError), normalised(model, by, [images()]):
            model(images()[:, :2])
        with pytest.raises(KeyError), normalised(model, by, [images()]):
            raise KeyError
    assert_untouched(before, everything(model))


def test_lazy_layers_are_normalised_once_they_know_their_size() -> None:
    model = nn.Sequential(nn.Conv2d(3, CHANNELS, 3), nn.LazyBatchNorm2d(), nn.Conv2d(CHANNELS, 5, 3))
    assert normalisation_of(model, training=False) == "data"
    assert mercuric.simulate(model, images()).normalisation == "batch"
    assert not bool(model[1].running_mean.count_nonzero())


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(2, 4), min_size=1, max_size=3), st.booleans(), st.sampled_from(list(LAYERS)))
def test_the_model_comes_back_whatever_the_batches(sizes: list[int], training: bool, name: str) -> None:
    model = network(LAYERS[name]()).train(training)
    before = everything(model)
    batches = [images(size, seed=seed) for seed, size in enumerate(sizes)]
    for mode in (True, False):
        simulate_batches(model, batches, training=mode)
    assert_untouched(before, everything(model))
