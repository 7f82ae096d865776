"""Ranks from an error of the network's output: does the promise hold, and what becomes of the layers?"""

import copy

import pytest
import torch
from torch import nn

import mercuric
from mercuric import Directions, data
from mercuric.reuse import ReuseLinear
from mercuric.reuse.directions.fit.sensitivity import layer_moments


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 24, 3, padding=1), nn.ReLU(inplace=True), nn.Conv2d(24, 48, 3, stride=2),
        nn.BatchNorm2d(48), nn.ReLU(inplace=True), nn.Conv2d(48, 48, 3, groups=48),
        nn.Conv2d(48, 32, 3, bias=False), nn.ReLU(),
        nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(128, 40), nn.ReLU(), nn.Linear(40, 2),
    )  # fmt: skip


LAYERS = ["0", "2", "6", "10", "12"]


def with_reuse(model, **fields):
    return mercuric.reuse_(model, Directions(**{"multiple": 1, **fields}))


@pytest.fixture(scope="module")
def batches():
    photos = data.load("photos").train
    return [photos.batch(torch.arange(first, first + 16))[0] for first in (0, 16)]


def relative(outputs, dense):
    return float((outputs - dense).abs().mean() / dense.abs().mean())


@torch.no_grad()
def outputs_of(model, batches):
    return torch.cat([model(batch) for batch in batches])


def fitted(batches, error, **fields):
    model = network().eval()
    handle = with_reuse(model, **fields)
    return model, handle, mercuric.fit_ranks_(model, handle, batches, error)


@pytest.mark.parametrize("error", [0.01, 0.05, 0.3])
def test_the_output_stays_within_the_error(batches, error):
    dense = outputs_of(network().eval(), batches)
    model, handle, table = fitted(batches, error)
    found = relative(outputs_of(model, batches), dense)
    assert 0 < found <= error * 1.001
    halves = [
        relative(outputs_of(model, [batch]), outputs_of(network().eval(), [batch])) for batch in batches
    ]
    assert table.attrs["error"] == pytest.approx(max(halves), rel=1e-3)
    assert table["layer"].tolist() == LAYERS
    assert handle.report()["rank"].tolist() == table["rank"].tolist()
    assert table["saved"].max() > 0


def test_ranks_fall_and_more_is_saved_as_the_error_rises(batches):
    saved, ranks = [], []
    for error in (0.01, 0.03, 0.1, 0.3):
        table = fitted(batches, error)[2]
        saved.append(float((table["multiplications"] * table["saved"]).sum()))
        ranks.append(table["rank"].where(table["rank"] > 0, table["filters"]).sum())
    assert saved == sorted(saved) and saved[0] < saved[-1]
    assert ranks == sorted(ranks, reverse=True) and ranks[0] > ranks[-1]


def test_weights_are_what_is_computed_and_restore_leaves_them(batches):
    model, handle, table = fitted(batches, 0.2)
    found = outputs_of(model, batches)
    ranks = dict(zip(table["layer"], table["rank"], strict=True))
    for name, rank in ranks.items():
        weight = model.get_submodule(name).weight
        if rank:
            assert torch.linalg.matrix_rank(weight.flatten(1), rtol=1e-4) == rank
        else:
            assert torch.equal(weight, network().get_submodule(name).weight)
    with handle.off():
        torch.testing.assert_close(outputs_of(model, batches), found, rtol=1e-4, atol=1e-5)
    mercuric.restore_(model)
    torch.testing.assert_close(outputs_of(model, batches), found, rtol=1e-4, atol=1e-5)


def test_later_passes_estimate_nothing_and_training_keeps_the_ranks(batches):
    model, handle, table = fitted(batches, 0.2)
    bases = [
        state.principal.directions and state.principal.directions.basis for state in handle.layers.values()
    ]
    first = model(batches[0])
    torch.testing.assert_close(model(batches[0]), first)
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for _ in range(2):
        optimizer.zero_grad()
        model(batches[0]).square().mean().backward()
        optimizer.step()
        handle.step(1.0)
    assert handle.report()["rank"].tolist() == table["rank"].tolist()
    for basis, state in zip(bases, handle.layers.values(), strict=True):
        assert basis is (state.principal.directions and state.principal.directions.basis)


def test_layers_that_do_not_pay_or_are_off_stay_dense(batches):
    model = network().eval()
    handle = with_reuse(model, multiple=16)
    handle.switch_off("2")
    table = mercuric.fit_ranks_(model, handle, batches, 0.3).set_index("layer")
    assert "2" not in table.index
    assert not table.loc[["0", "12"], "rank"].any(), "16 directions cost as much as 24 filters of 27 elements"
    assert table.loc["6", "rank"] == 16
    assert torch.equal(model.get_submodule("2").weight, network().get_submodule("2").weight)


def test_no_rank_within_the_error_is_said(batches):
    model = network().eval()
    handle = with_reuse(model)
    with pytest.warns(UserWarning, match="error was 0.1, but no layer's rank keeps .* every layer is dense"):
        table = mercuric.fit_ranks_(
            model, handle, batches, 0.1, lambda ours, dense: float(not ours.equal(dense))
        )
    assert not table["rank"].any() and table.attrs["error"] == 0
    assert torch.equal(outputs_of(model, batches), outputs_of(network().eval(), batches))


def test_a_distance_of_ones_own_decides(batches):
    dense = outputs_of(network().eval(), batches)

    def disagreement(ours, dense):
        return float((ours.argmax(1) != dense.argmax(1)).float().mean())

    model = network().eval()
    mercuric.fit_ranks_(model, with_reuse(model), batches, 0.1, disagreement)
    assert disagreement(outputs_of(model, batches), dense) <= 0.1


def test_a_distance_that_rises_steeply_at_first_is_followed(batches):
    """As the share of changed classes does: a hundredth of the error is a third of the distance."""
    model = network().eval()
    handle = with_reuse(model)
    table = mercuric.fit_ranks_(
        model, handle, batches, 0.3, lambda ours, dense: relative(ours, dense) ** 0.25
    )
    assert table["saved"].max() > 0
    assert 0.2 < table.attrs["error"] <= 0.3


def test_modes_gradients_and_counts_stay_as_they_were(batches):
    model = network()
    model[3].eval()
    model[0].weight.requires_grad_(False)
    before = copy.deepcopy(model[3].state_dict())
    handle = with_reuse(model)
    mercuric.fit_ranks_(model, handle, [(batches[0],)], 0.2)
    assert model.training and not model[3].training and model[4].training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model[3].state_dict().items())


def test_moments_are_those_of_the_outputs_and_the_jacobian():
    torch.manual_seed(1)
    layer = ReuseLinear(5, 4, reuse=Directions()).double()
    model = nn.Sequential(layer, nn.Linear(4, 3, bias=False).double()).eval()
    rows = torch.randn(6, 5, dtype=torch.float64)
    moments, outputs = layer_moments(model, {"0": layer}, [rows])
    without = rows @ layer.weight.T
    torch.testing.assert_close(moments["0"].outputs, without.T @ without)
    torch.testing.assert_close(outputs[0], model(rows).detach())
    assert moments["0"].vectors == 6
    drawn = torch.stack(
        [layer_moments(model, {"0": layer}, [rows], seed)[0]["0"].gradients for seed in range(200)]
    )
    jacobian = model[1].weight.T @ model[1].weight * 6
    assert (drawn.mean(0) - jacobian).norm() < 0.15 * jacobian.norm()


def test_what_can_not_be_fitted_is_named(batches):
    model = network().eval()
    handle = with_reuse(model)
    for arguments, sentence in (
        ((model, handle, []), "batches was empty"),
        ((model, handle, batches, 0.0), "error was 0.0, but must be between 0 and 1"),
        ((model, handle, batches, 1.5), "error was 1.5"),
        ((network(), handle, batches), "handle was of another model: layer '0'"),
    ):
        with pytest.raises(ValueError, match=sentence):
            mercuric.fit_ranks_(*arguments)
    for fields in ({"refresh": 5}, {"residual_bits": 4}):
        other = network()
        with pytest.raises(ValueError, match=f"{next(iter(fields))} was .*, but must be None"):
            mercuric.fit_ranks_(other, with_reuse(other, **fields), batches)
    plain = network()
    with pytest.raises(ValueError, match="must be a Directions"):
        mercuric.fit_ranks_(plain, mercuric.reuse_(plain), batches)

    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = network()

        def forward(self, images):
            return self.inner(images), images

    pair = Pair()
    with pytest.raises(ValueError, match="model gave tuple, but must give one tensor"):
        mercuric.fit_ranks_(pair, with_reuse(pair), batches)
