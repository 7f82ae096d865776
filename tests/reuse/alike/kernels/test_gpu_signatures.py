"""Does a GPU give windows the signatures of the definition, and find the first of each?"""

from importlib import import_module

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from windows_drawn import Layer, layers

pytest.importorskip("triton", reason="the kernels are compiled by Triton")

from mercuric.reuse.alike.kernels.gpu.signature import reference_window_signatures, window_signatures
from mercuric.reuse.alike.kernels.gpu.table import first_alike, reference_representatives
from mercuric.similarity.separable import grid_signatures, reference_grid_signatures

FEW = settings(max_examples=15, deadline=None)


@FEW
@given(layers(), st.sampled_from([1, 7, 20, 64, 65, 128]))
def test_signatures_are_the_definitions_bit_for_bit(device: torch.device, layer: Layer, bits: int) -> None:
    projection = layer.projection(bits)
    projected = layer.images(device) @ projection.channels.to(device, layer.dtype)
    taps = projection.taps.to(device)
    found, finite = window_signatures(projected, taps, layer.grid)
    expected, all_finite = reference_window_signatures(projected, taps, layer.grid)
    assert torch.equal(found, expected) and torch.equal(finite, all_finite) and bool(finite.all())
    same_as_cpu, _ = reference_grid_signatures(projected.float().cpu().flatten(0, 2), taps.cpu(), layer.grid)
    assert torch.equal(found.cpu(), same_as_cpu)


@FEW
@given(layers(), st.sampled_from([float("inf"), float("-inf"), float("nan")]))
def test_windows_of_what_is_not_finite_are_known(device: torch.device, layer: Layer, value: float) -> None:
    projected = layer.normal(device, layer.grid.output[0], layer.grid.height, layer.grid.width, 3)
    projected[0, 0, 0, 1] = value
    taps = layer.projection(3).taps.to(device)
    _, finite = window_signatures(projected, taps, layer.grid)
    assert torch.equal(finite, reference_window_signatures(projected, taps, layer.grid)[1])
    on_cpu = grid_signatures(projected.float().cpu().flatten(0, 2), taps.cpu(), layer.grid)[1]
    assert torch.equal(finite.cpu(), on_cpu)


@FEW
@given(
    st.integers(1, 60), st.integers(1, 3), st.sampled_from([1, 3, 40]), st.integers(1, 2), st.integers(0, 99)
)
@example(vectors=50, scopes=2, kinds=1, words=1, seed=0)
def test_representatives_are_the_sequential_caches(
    device: torch.device, vectors: int, scopes: int, kinds: int, words: int, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(-(2**62), 2**62, (kinds, words), generator=generator)
    signatures = drawn[torch.randint(0, kinds, (scopes * vectors,), generator=generator)].to(device)
    finite = torch.rand(scopes * vectors, generator=generator).to(device) > 0.1
    found = first_alike(signatures, finite, scopes)
    assert torch.equal(found, reference_representatives(signatures, finite, scopes))


def test_the_first_vector_wins_whatever_order_the_programs_run_in(
    device: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    signatures = torch.arange(70, device=device).remainder(9).view(-1, 1)
    everything = torch.ones(70, dtype=torch.bool, device=device)
    if device.type == "cpu":
        builder = import_module("triton.runtime.interpreter").interpreter_builder
        forward, ran = builder.set_grid_idx, []

        def backward(x: int, y: int, z: int) -> None:
            ran.append(builder.grid_dim[0] - 1 - x)
            forward(ran[-1], y, z)

        monkeypatch.setattr(builder, "set_grid_idx", backward)
        found = first_alike(signatures, everything, 1)
        assert ran[0] > ran[1] > ran[2]
    else:
        found = first_alike(signatures, everything, 1)
    assert torch.equal(found, torch.arange(70, device=device).remainder(9).int())


def test_signatures_that_share_a_slot_are_told_apart(device: torch.device) -> None:
    signatures = torch.arange(200, device=device).view(-1, 1) << 40
    everything = torch.ones(200, dtype=torch.bool, device=device)
    assert torch.equal(first_alike(signatures, everything, 1), torch.arange(200, device=device).int())
