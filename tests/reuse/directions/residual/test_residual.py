"""Do alike vectors share what the directions leave out, and does the guarantee hold?"""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import mercuric
from mercuric import Directions, data
from mercuric.reuse.directions.basis import PrincipalDirections, principal_directions
from mercuric.reuse.directions.product import Placement
from mercuric.reuse.directions.residual import product as residual
from mercuric.reuse.directions.residual.groups import (
    Groups,
    groups_of,
    reference_groups,
    sign_codes,
    sign_groups,
)
from mercuric.reuse.directions.residual.guarantee import amplification, distances, reference_distances
from mercuric.reuse.directions.residual.product import reference_residual, residual_convolution
from mercuric.reuse.directions.residual.window_pixels import WindowPixels

PLACEMENT = Placement((2, 1), (1, 0), (1, 2))


def layer(dtype=torch.float64):
    torch.manual_seed(0)
    x = torch.randn(3, 5, 9, 7, dtype=dtype)
    weight = torch.randn(12, 4, dtype=dtype) @ torch.randn(4, 30, dtype=dtype)
    weight = (weight + 0.1 * torch.randn(12, 30, dtype=dtype)).view(12, 5, 3, 2)
    outputs = F.conv2d(x, weight, None, PLACEMENT.stride, PLACEMENT.padding, PLACEMENT.dilation)
    rows = outputs.permute(0, 2, 3, 1).flatten(0, 2)
    directions = principal_directions(rows, Directions(rank=4, multiple=1), 30)
    assert directions is not None
    return x, weight, directions, rows


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 11), min_size=1, max_size=60), st.integers(1, 5))
def test_groups_are_those_of_the_definition(codes, members):
    codes = torch.tensor(codes)
    found, expected = groups_of(codes, 12, members), reference_groups(codes, members)
    assert torch.equal(found.number, expected.number)
    assert torch.equal(found.members, expected.members)
    for group, own in enumerate(found.members):
        vectors = (found.number == group).nonzero()[:, 0]
        assert own[own >= 0].tolist() == vectors[:members].tolist()


def test_a_code_is_the_image_and_the_signs():
    components = torch.tensor([[1.0, -1], [-1, 2], [0, 1], [3, 3]])
    assert sign_codes(components, 2, 2).tolist() == [1, 2, 6, 7]
    assert sign_codes(components, 2, 0).tolist() == [0, 0, 1, 1]


def test_vectors_set_apart_are_alone():
    groups = groups_of(torch.tensor([0, 1, 0, 1]), 2, 2).without(torch.tensor([False, False, True, True]))
    assert groups.number.tolist() == [0, 1, 2, 3]
    assert groups.members.tolist() == [[0, 2], [1, 3], [2, -1], [3, -1]]
    assert groups.counts.tolist() == [2, 2, 1, 1]


def sharing(bits=2, members=1, max_error=None):
    return Directions(rank=4, multiple=1, residual_bits=bits, members=members, max_error=max_error)


@pytest.mark.parametrize(("bits", "rank"), [(0, 0), (2, 2), (9, 4)])
def test_groups_have_equal_signs(bits, rank):
    components = torch.randn(3, 4, 5, 7)
    found = sign_groups(components, bits, 2)
    rows = components.permute(0, 2, 3, 1).reshape(-1, 4)
    expected = groups_of(sign_codes(rows, 3, rank), 3 << rank, 2)
    assert torch.equal(found.number, expected.number)
    assert torch.equal(found.members, expected.members)
    assert found.exact == 0


@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize(("max_error", "least", "most"), [(None, 0, 0), (0.2, 1, 62), (0.001, 63, 75)])
@pytest.mark.parametrize("scratch", [1, 1 << 22])
@pytest.mark.parametrize("with_bias", [True, False])
def test_it_is_its_definition_with_exact_gradients(
    members, max_error, least, most, scratch, with_bias, monkeypatch
):
    monkeypatch.setattr(residual, "SCRATCH_ELEMENTS", scratch)
    x, weight, directions, _ = layer()
    bias = torch.randn(12, dtype=torch.float64) if with_bias else None
    leaves = [t.requires_grad_() for t in (x, weight, bias) if t is not None]
    found, groups = residual_convolution(
        x, weight, bias, directions, PLACEMENT, sharing(2, members, max_error)
    )
    assert least <= groups.exact <= most
    expected = reference_residual(x, weight, bias, directions, PLACEMENT, groups)
    torch.testing.assert_close(found, expected)
    gradient = torch.randn_like(found)
    mine = torch.autograd.grad(found, leaves, gradient)
    torch.testing.assert_close(mine, torch.autograd.grad(expected, leaves, gradient))


def test_gradients_are_those_of_what_was_computed():
    torch.manual_seed(0)
    x = torch.randn(1, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    basis, _ = torch.linalg.qr(torch.randn(5, 2, dtype=torch.float64))
    weight = basis @ torch.randn(2, 8, dtype=torch.float64) + 0.1 * torch.randn(5, 8, dtype=torch.float64)
    weight = weight.view(5, 2, 2, 2).requires_grad_()
    directions = PrincipalDirections(basis)
    config = Directions(rank=2, multiple=1, residual_bits=2, members=2, max_error=0.1)
    _, groups = residual_convolution(x, weight, None, directions, Placement(), config)
    assert 0 < groups.exact < 9

    def product(x, w, b):
        return residual_convolution(x, w, b, directions, Placement(), config)[0]

    bias = torch.zeros(5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(product, (x, weight, bias))
    assert torch.autograd.gradgradcheck(product, (x, weight, bias))


def test_a_vector_set_apart_is_computed_exactly():
    x, weight, directions, rows = layer()
    found, groups = residual_convolution(x, weight, None, directions, PLACEMENT, sharing(max_error=1e-6))
    assert groups.exact > 0.8 * len(rows)
    torch.testing.assert_close(found.permute(0, 2, 3, 1).flatten(0, 2), rows)


@pytest.mark.parametrize("max_error", [None, 0.1])
def test_a_pass_pads_and_takes_its_thin_product_once(max_error, monkeypatch):
    x, weight, directions, _ = layer()
    calls = []

    def counted(name, call):
        def told(*args):
            if args[0].shape == x.shape:
                calls.append(name)
            return call(*args)

        return told

    for name in ("conv2d", "pad"):
        monkeypatch.setattr(F, name, counted(name, getattr(F, name)))
    residual_convolution(x, weight, None, directions, PLACEMENT, sharing(max_error=max_error))
    assert sorted(calls) == ["conv2d", "pad"]


def test_windows_are_those_of_unfold():
    x, *_ = layer()
    windows = WindowPixels.of(x, (3, 2), PLACEMENT)
    unfolded = F.unfold(x, (3, 2), PLACEMENT.dilation, PLACEMENT.padding, PLACEMENT.stride)
    expected = unfolded.transpose(1, 2).reshape(-1, 5, 6).transpose(1, 2).flatten(1)
    torch.testing.assert_close(windows.gather(torch.arange(len(expected))), expected)
    torch.testing.assert_close(windows.unpadded(), x)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize(
    ("shape", "kernel", "placement"),
    [
        ((3, 5, 9, 7), (3, 2), PLACEMENT),
        ((1, 1, 1, 1), (1, 1), Placement()),
        ((2, 3, 4, 41), (3, 3), Placement((2, 2), (1, 1))),
        ((2, 17, 5, 5), (5, 5), Placement()),
    ],
)
def test_distances_are_those_of_the_definition(dtype, last, shape, kernel, placement):
    torch.manual_seed(0)
    x = torch.randn(shape, dtype=dtype)
    if last:
        x = x.contiguous(memory_format=torch.channels_last)
    windows = WindowPixels.of(x, kernel, placement)
    centres = torch.randn(windows.length, 4, dtype=dtype).T
    number = torch.randint(0, 4, (windows.grid.windows, 2))[:, 0]
    torch.testing.assert_close(
        distances(windows, centres, number), reference_distances(windows, centres, number)
    )


def test_what_a_layer_leaves_out_is_amplified_no_more():
    _, weight, directions, _ = layer()
    largest = amplification(weight, directions)
    vectors = torch.randn(500, 30, dtype=torch.float64)
    rows = weight.permute(0, 2, 3, 1).flatten(1)
    outputs = vectors @ rows.T
    left_out = outputs - outputs @ directions.basis @ directions.basis.T
    stretched = left_out.norm(dim=1) / vectors.norm(dim=1)
    assert stretched.max() <= largest
    _, _, right = torch.linalg.svd(rows - directions.basis @ (directions.basis.T @ rows))
    worst = right[0] @ rows.T
    worst -= worst @ directions.basis @ directions.basis.T
    torch.testing.assert_close(float(worst.norm()), largest)


@pytest.mark.parametrize("max_error", [0.02, 0.1, 0.3, 0.7])
@pytest.mark.parametrize("bits", [0, 3, 8])
def test_no_vector_is_further_off_than_guaranteed(max_error, bits):
    photos, _ = data.load("photos").train.batch(torch.arange(0, 60, 12))
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 24, 5, padding=2, bias=False)
    exact = conv(photos).permute(0, 2, 3, 1).flatten(0, 2)
    config = Directions(rank=6, multiple=1, residual_bits=bits, max_error=max_error)
    directions = principal_directions(exact, config, 75)
    placement = Placement(padding=(2, 2))
    outputs, groups = residual_convolution(photos, conv.weight, None, directions, placement, config)
    errors = (outputs.permute(0, 2, 3, 1).flatten(0, 2) - exact).norm(dim=1)
    allowed = max_error * exact.norm(dim=1)
    assert (errors <= allowed * 1.0001 + 1e-5).all()
    assert groups.exact > 0
    if bits == 8:
        assert groups.exact < len(exact)


def test_layers_take_residuals_and_the_guarantee():
    photos, _ = data.load("photos").train.batch(torch.arange(0, 60, 12))
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(3, 24, 5, padding=2), nn.ReLU(), nn.Conv2d(24, 24, 3), nn.Flatten(), nn.Linear(24 * 900, 10)
    )
    exact = model(photos)
    errors = {}
    for max_error in (0.05, 0.5):
        config = Directions(rank=6, multiple=1, residual_bits=6, max_error=max_error)
        handle = mercuric.reuse_(model, config, filter_fn=lambda module, _: isinstance(module, nn.Conv2d))
        mercuric.fit_directions_(model, handle, [photos])
        with torch.no_grad():
            errors[max_error] = float((model(photos) - exact).norm() / exact.norm())
        shared = handle.layers["0"].principal.shared
        assert 0 <= shared.exact <= 5 * 32 * 32
        mercuric.restore_(model)
    assert errors[0.05] < 0.05
    assert errors[0.05] < errors[0.5]


def test_linear_layers_share_residuals():
    torch.manual_seed(0)
    rows = torch.randn(20, 12).repeat(3, 1)
    model = nn.Sequential(nn.Linear(12, 16))
    config = Directions(rank=2, multiple=1, residual_bits=2, members=64)
    handle = mercuric.reuse_(model, config)
    mercuric.fit_directions_(model, handle, [rows])
    output = model(rows)
    assert output.shape == (60, 16)
    torch.testing.assert_close(output[:20], output[20:40])
    assert len(handle.layers["0"].principal.shared.members) <= 4


def test_a_guarantee_needs_groups():
    with pytest.raises(ValueError, match="residual_bits was None"):
        Directions(max_error=0.1)


def test_groups_of_another_device_are_found_by_the_definition():
    with pytest.raises(NotImplementedError):  # what meta tensors say to unique
        groups_of(torch.zeros(3, dtype=torch.int64, device="meta"), 1, 1)
    assert isinstance(reference_groups(torch.zeros(3, dtype=torch.int64), 1), Groups)


@pytest.mark.parametrize("max_error", [None, 0.1])
def test_what_is_behind_a_layer_may_change_its_output_in_place(max_error):
    gradients = []
    for in_place in (False, True):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU(inplace=in_place)).to(
            memory_format=torch.channels_last
        )
        fields = {"rank": 4, "multiple": 1, "residual_bits": 3, "max_error": max_error}
        mercuric.reuse_(model, Directions(**fields))
        images = torch.rand(2, 3, 9, 9)
        model(images)
        model(images).square().sum().backward()
        gradients.append(model[0].weight.grad)
    torch.testing.assert_close(*gradients)
    assert gradients[0].count_nonzero()
