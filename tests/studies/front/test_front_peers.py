"""The peers of fitted directions: what each makes of a network."""

import copy
import itertools
import math
import sys

import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from mercuric import zoo
from mercuric.errors import ArgumentError, MercuricError
from mercuric.reuse import Directions, fit_ranks_, restore_, reuse_
from mercuric.reuse.directions.factors import filters_and_length, products
from mercuric.studies.front import subject as module
from mercuric.studies.front.forms import FITTED, INT8, PEERS, PRUNED, chosen_forms, front_forms, peer_forms
from mercuric.studies.front.peers.bfloat16 import Bfloat16
from mercuric.studies.front.peers.budget import Spectrum, ranks_within
from mercuric.studies.front.peers.int8 import Int8
from mercuric.studies.front.peers.low_rank import ResponseReconstruction, WeightSvd
from mercuric.studies.front.peers.peer import Ground
from mercuric.studies.front.peers.plain import plain_layers
from mercuric.studies.front.peers.pruning import Pruned
from mercuric.studies.front.peers.reconstruction import reconstructed
from mercuric.studies.front.study import bench_front
from mercuric.studies.front.subject import FrontBench
from mercuric.trace.workload import read_workloads


@pytest.fixture
def network() -> nn.Module:
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU()]
    layers += [nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(32, 5)).eval().to(memory_format=torch.channels_last)


@pytest.fixture
def ground() -> Ground:
    torch.manual_seed(1)
    batches = [torch.randn(4, 3, 12, 12).contiguous(memory_format=torch.channels_last) for _ in range(4)]
    return Ground("a small network", batches[0], batches)


def error(made: nn.Module, dense: Tensor, ground: Ground) -> float:
    with torch.no_grad():
        outputs = torch.cat([made(batch) for batch in ground.fitted])
    return float((outputs - dense).abs().mean() / dense.abs().mean())


def outputs(network: nn.Module, ground: Ground) -> Tensor:
    with torch.no_grad():
        return torch.cat([network(batch) for batch in ground.fitted])


def macs(network: nn.Module, ground: Ground) -> int:
    return sum(one.macs for one in read_workloads(network, ground.timed))


def test_fewer_bits_are_near_the_trained_network(network: nn.Module, ground: Ground) -> None:
    dense = outputs(network, ground)
    whole, ends = (error(Int8(kept).make(_copy(network), ground), dense, ground) for kept in (0, 1))
    assert 0 < ends < whole < 0.1
    assert 0 < error(Bfloat16().make(_copy(network), ground), dense, ground) < 0.02


@pytest.mark.slow
def test_compiled_int8_takes_batches_that_are_not_full(network: nn.Module, ground: Ground) -> None:
    pytest.importorskip("torchao")
    dense = outputs(network, ground)
    compiled = Ground(ground.shown, ground.timed, ground.fitted, compiled=True)
    made = Int8().make(_copy(network), compiled)
    assert 0 < error(made, dense, ground) < 0.1
    with torch.no_grad():
        torch.testing.assert_close(made(ground.timed[:3]), made(ground.timed)[:3])


def test_int8_says_where_no_layer_is_left(network: nn.Module, ground: Ground) -> None:
    with pytest.raises(MercuricError, match="a small network has 4 layers"):
        Int8(2).make(network, ground)


@pytest.mark.parametrize("peer", [WeightSvd, ResponseReconstruction])
def test_low_rank_keeps_the_budget(peer: type, network: nn.Module, ground: Ground) -> None:
    dense, whole = outputs(network, ground), macs(network, ground)
    found = []
    for share in (0.7, 0.4):
        made = peer(share, 4).make(_copy(network), ground)
        assert 0.7 * share < macs(made, ground) / whole <= share
        found.append(error(made, dense, ground))
    assert 0 < found[0] < found[1]


def test_responses_tell_more_than_weights(network: nn.Module, ground: Ground) -> None:
    dense = outputs(network, ground)
    weights, responses = (
        error(peer(0.5, 4).make(_copy(network), ground), dense, ground)
        for peer in (WeightSvd, ResponseReconstruction)
    )
    assert responses < weights


def test_responses_of_low_rank_are_kept_whole() -> None:
    torch.manual_seed(0)
    rows = torch.randn(500, 4) @ torch.randn(4, 16) + torch.randn(16)
    for relu in (False, True):
        found = reconstructed(rows, rows, 4, relu)
        assert found.out.shape == (16, 4)
        torch.testing.assert_close(found(rows), rows, rtol=1e-3, atol=1e-3)


def test_what_the_relu_cuts_off_need_not_be_met() -> None:
    torch.manual_seed(0)
    wanted = torch.randn(800, 16) @ torch.randn(16, 16) - 1
    given = wanted + 0.3 * torch.randn(800, 16)

    def behind(relu: bool) -> float:
        mapped = reconstructed(given, wanted, 6, relu)(given)
        return float((mapped.clamp(min=0) - wanted.clamp(min=0)).square().mean())

    assert behind(True) < 0.95 * behind(False)


def test_ranks_keep_the_largest_product_of_energies() -> None:
    layers = {
        name: Spectrum(decay ** torch.arange(8.0), length, 10)
        for name, decay, length in (("a", 0.5, 72), ("b", 0.7, 90), ("c", 0.8, 60))
    }
    budget = 0.5 * sum(layer.cost(layer.filters) for layer in layers.values())

    def product(ranks: tuple[int, ...]) -> float:
        return math.prod(
            float(layer.energies[:rank].sum() / layer.energies.sum())
            for layer, rank in zip(layers.values(), ranks, strict=True)
        )

    def cost(ranks: tuple[int, ...]) -> int:
        return sum(layer.cost(rank) for layer, rank in zip(layers.values(), ranks, strict=True))

    every = itertools.product(*(range(1, layer.filters + 1) for layer in layers.values()))
    best = max(product(ranks) for ranks in every if cost(ranks) <= budget)
    found = ranks_within(layers, 0.5)
    chosen = tuple(found.get(name, layer.filters) for name, layer in layers.items())
    assert cost(chosen) <= budget
    assert product(chosen) > 0.9 * best


def test_four_times_fewer_multiplications_in_vgg16() -> None:
    """Zhang and others' complexity, d' k^2 c + d' d, on the network that they make four times faster."""
    with torch.device("meta"):
        network = zoo.build("vgg16", 1000, 3, 224).get_submodule("features")
    layers = {name: filters_and_length(layer) for name, layer in products(network)}
    sides = (224, 224, 112, 112, 56, 56, 56, 28, 28, 28, 14, 14, 14)
    spectra = {
        name: Spectrum(0.97 ** torch.arange(float(filters)), length, side**2)
        for side, (name, (filters, length)) in zip(sides, layers.items(), strict=True)
    }
    ranks = ranks_within(spectra, 0.25)
    dense = sum(one.cost(one.filters) for one in spectra.values())
    assert dense == 15_346_630_656  # VGG-16's convolutions, 15.3 G as published
    left = sum(one.cost(ranks.get(name, one.filters)) for name, one in spectra.items())
    assert 0.249 < left / dense <= 0.25
    assert spectra["19"].cost(115) == 784 * 115 * (512 + 9 * 512)


def test_pruning_takes_channels_out(network: nn.Module, ground: Ground) -> None:
    pytest.importorskip("torch_pruning")
    dense, whole = outputs(network, ground), macs(network, ground)
    for importance in ("magnitude", "Taylor"):
        made = Pruned(0.5, importance).make(_copy(network), ground)
        assert macs(made, ground) < 0.4 * whole
        assert outputs(made, ground).shape == dense.shape
        assert all(one.grad is None for one in made.parameters())


def test_fitted_directions_as_plain_layers_compute_the_same(network: nn.Module, ground: Ground) -> None:
    handle = reuse_(network, Directions(multiple=4))
    fit_ranks_(network, handle, ground.fitted, 0.2)
    found = outputs(network, ground)
    plain = plain_layers(network, handle)
    assert plain is not None and any(name.endswith("thin") for name, _ in plain.named_modules())
    torch.testing.assert_close(outputs(plain, ground), found, rtol=1e-3, atol=1e-4)
    assert macs(plain, ground) < macs(_plain_of(network), ground)


def test_peers_are_judged_and_timed(monkeypatch: pytest.MonkeyPatch, network: nn.Module) -> None:
    monkeypatch.setattr(module, "_pretrained", lambda *_: network)
    table = _front(step=False)
    wanted = ["dense", FITTED, *(group for group in PEERS if group not in PRUNED.values())]
    assert [group for group in table["group"] if group not in PRUNED.values()] == wanted
    assert (table["ms"] > 0).all()
    assert table.set_index("group")["macs"].loc[["dense", "int8", "bfloat16"]].eq(1).all()


def test_a_step_leaves_out_what_has_no_gradients(monkeypatch: pytest.MonkeyPatch, network: nn.Module) -> None:
    monkeypatch.setattr(module, "_pretrained", lambda *_: network)
    table = _front(step=True)
    assert INT8 not in set(table["group"])
    assert "int8 has no gradients, so no training step is timed in it" in table.attrs["left_out"]


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, network: nn.Module) -> None:
    monkeypatch.setitem(sys.modules, "torch_pruning", None)
    monkeypatch.setattr(module, "_pretrained", lambda *_: network)
    table = _front(step=False, forms=tuple(PRUNED.values()))
    assert table["group"].tolist() == ["dense"]
    assert table.attrs["left_out"] == [
        "Torch-Pruning needs torch_pruning, which is not installed; "
        'install it with: pip install "mercuric[peers]"'
    ]


def test_ranks_that_are_too_small_are_named(network: nn.Module, ground: Ground) -> None:
    with pytest.raises(MercuricError, match="30% of the multiplications needs ranks below 16 in a small"):
        WeightSvd(0.3).make(network, ground)


def test_forms_are_chosen_with_what_they_are_made_of() -> None:
    forms = [*front_forms(paper=False), *peer_forms()]
    groups = {form.group for form in chosen_forms(forms, ["directions fitted + int8"])}
    assert groups == {"dense", FITTED, "directions fitted + int8"}
    with pytest.raises(ArgumentError, match="forms was 'int9', but must be some of dense; "):
        chosen_forms(forms, ["int9"])


def _front(step: bool, forms: tuple[str, ...] = (FITTED, *PEERS)) -> pd.DataFrame:
    return bench_front(
        FrontBench(
            weights="mobilenet-v2-imagenet", calibration=4, images=2, batch=2, image_size=96, rounds=1,
            step=step, forms=forms, output_errors=(0.3,), ends=(0,), ratios=(0.5,), shares=(0.7,),
            paper=False,
        )
    )  # fmt: skip


def _copy(network: nn.Module) -> nn.Module:
    return copy.deepcopy(network)


def _plain_of(network: nn.Module) -> nn.Module:
    plain = _copy(network)
    restore_(plain)
    return plain
