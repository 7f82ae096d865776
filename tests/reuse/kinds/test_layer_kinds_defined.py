"""Do Conv1d and ConvTranspose2d compute what PyTorch defines, with the Hitmap's sources?"""

from typing import Any

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mercuric import ReuseConfig, ReuseConv1d, ReuseConv2d, ReuseConvTranspose2d, restore_, reuse_
from mercuric.trace.workload import read_workloads

Drawn = tuple[dict[str, Any], tuple[int, ...]]
"""Options of a layer, and the shape of its input."""


@st.composite
def transposed(draw: st.DrawFn, least: int = 1) -> Drawn:
    groups = draw(st.integers(1, 3))
    pair = st.tuples(st.integers(1, 3), st.integers(1, 3))
    kernel, stride, dilation = draw(pair), draw(pair), draw(pair)
    spare = [draw(st.integers(0, max(s, d) - 1)) for s, d in zip(stride, dilation, strict=True)]
    padding = [draw(st.integers(0, 1)) for _ in kernel]
    options = {
        "in_channels": groups * draw(st.integers(least, least + 2)),
        "out_channels": groups * draw(st.integers(1, 3)),
        "kernel_size": kernel, "stride": stride, "dilation": dilation, "padding": tuple(padding),
        "output_padding": tuple(spare), "groups": groups, "bias": draw(st.booleans()),
    }  # fmt: skip
    shape = (
        draw(st.integers(1, 2)),
        options["in_channels"],
        draw(st.integers(3, 5)),
        draw(st.integers(3, 5)),
    )
    return options, shape if draw(st.booleans()) else shape[1:]


@st.composite
def one_dimensional(draw: st.DrawFn) -> Drawn:
    groups = draw(st.integers(1, 3))
    stride = draw(st.integers(1, 3))
    options = {
        "in_channels": groups * draw(st.integers(1, 3)), "out_channels": groups * draw(st.integers(1, 3)),
        "kernel_size": draw(st.integers(1, 4)), "stride": stride, "dilation": draw(st.integers(1, 2)),
        "padding": draw(st.sampled_from([0, 1, 2, "valid", *(["same"] if stride == 1 else [])])),
        "padding_mode": draw(st.sampled_from(["zeros", "reflect", "replicate", "circular"])),
        "groups": groups, "bias": draw(st.booleans()),
    }  # fmt: skip
    shape = (draw(st.integers(1, 2)), options["in_channels"], draw(st.integers(8, 11)))
    return options, shape if draw(st.booleans()) else shape[1:]


@pytest.mark.parametrize("granularity", ["channel", "patch"])
@settings(max_examples=60, deadline=None)
@given(drawn=transposed(least=4))
def test_unlike_pixels_give_the_transposed_convolution(granularity: str, drawn: Drawn) -> None:
    """With its three gradients."""
    options, shape = drawn
    plain = nn.ConvTranspose2d(**options).double()
    unlike = ReuseConfig(bits=63, entries=None, granularity=granularity)
    layer = ReuseConvTranspose2d(**options, reuse=unlike).double()
    plain.load_state_dict(layer.state_dict())
    x = torch.randn(shape, dtype=torch.float64)
    mine, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
    assume(is_valid(plain, x))
    got, wanted = layer(mine), plain(theirs)
    assume(not layer.reuse.counts.hit)
    torch.testing.assert_close(got, wanted)
    upstream = torch.randn_like(wanted)
    got.backward(upstream)
    wanted.backward(upstream)
    torch.testing.assert_close(mine.grad, theirs.grad)
    for one, other in zip(layer.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)


def is_valid(plain: nn.Module, x: torch.Tensor) -> bool:
    """Whether PyTorch computes such a layer at all."""
    try:
        plain(x)
    except (RuntimeError, ValueError):
        return False
    return True


@settings(max_examples=80, deadline=None)
@given(drawn=one_dimensional())
def test_conv1d_is_the_convolution_of_one_row(drawn: Drawn) -> None:
    """Also with HITs: the outputs and gradients of the Conv2d that is defined to be the same."""
    options, shape = drawn
    config = ReuseConfig(bits=4)
    layer = ReuseConv1d(**options, reuse=config).double()
    wide = {**options, "kernel_size": (1, options["kernel_size"]), "stride": (1, options["stride"])}
    wide["dilation"] = (1, options["dilation"])
    padding = options["padding"]
    wide["padding"] = padding if isinstance(padding, str) else (0, padding)
    flat = ReuseConv2d(**wide, reuse=config).double()
    with torch.no_grad():
        flat.weight.copy_(layer.weight.unsqueeze(2))
        if layer.bias is not None:
            flat.bias.copy_(layer.bias)
    x = torch.randn(shape, dtype=torch.float64)
    mine, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
    got, wanted = layer(mine), flat(theirs.unsqueeze(-2)).squeeze(-2)
    torch.testing.assert_close(got, wanted)
    upstream = torch.randn_like(got)
    got.backward(upstream)
    wanted.backward(upstream)
    torch.testing.assert_close(mine.grad, theirs.grad)
    torch.testing.assert_close(layer.weight.grad, flat.weight.grad.squeeze(2))
    assert (layer.reuse.counts.hit, layer.reuse.counts.mau) == (flat.reuse.counts.hit, flat.reuse.counts.mau)


@settings(max_examples=60, deadline=None)
@given(drawn=transposed())
def test_alike_pixels_give_their_representatives_output(drawn: Drawn) -> None:
    options, shape = drawn
    layer = ReuseConvTranspose2d(**options, reuse=ReuseConfig(bits=3, scope="batch")).double()
    seen = []
    layer.reuse.observers.append(seen.append)
    x = torch.randn(shape, dtype=torch.float64)
    plain = nn.ConvTranspose2d(**options).double()
    plain.load_state_dict(layer.state_dict())
    assume(is_valid(plain, x))
    got = layer(x)
    images = x if x.dim() == 4 else x[None]
    groups, source = layer.groups, seen[0].hitmap.representatives
    pixels = images.unflatten(1, (groups, -1)).movedim(1, 0).movedim(2, -1).flatten(1, 3)
    shared = torch.stack([rows[of] for rows, of in zip(pixels, source.view(groups, -1), strict=True)])
    back = shared.view(groups, len(images), *images.shape[-2:], -1).permute(1, 0, 4, 2, 3).flatten(1, 2)
    wanted = plain(back if x.dim() == 4 else back[0])
    torch.testing.assert_close(got, wanted)


@settings(max_examples=30, deadline=None)
@given(
    drawn=st.one_of(
        transposed().map(lambda d: (nn.ConvTranspose2d, *d)), one_dimensional().map(lambda d: (nn.Conv1d, *d))
    )
)
def test_work_is_what_pytorch_counts(drawn: Drawn) -> None:
    kind, options, shape = drawn
    layer, x = kind(**options), torch.randn(shape)
    assume(is_valid(layer, x))
    with FlopCounterMode(display=False) as counter:
        layer(x)
    (work,) = read_workloads(nn.Sequential(layer), x)
    assert 2 * work.macs == counter.get_total_flops()


@pytest.mark.parametrize("kind", [nn.Conv1d, nn.ConvTranspose2d])
def test_gradients_are_of_what_was_computed(kind: type[nn.Module]) -> None:
    model = nn.Sequential(kind(3, 4, 3, stride=2, padding=1)).double()
    reuse_(model, ReuseConfig(bits=3))
    x = torch.randn((2, 3, 7) if kind is nn.Conv1d else (2, 3, 4, 5), dtype=torch.float64)
    x = x.round(decimals=1).requires_grad_()
    assert torch.autograd.gradcheck(model, (x,), eps=1e-7, atol=1e-5)
    restore_(model)
    assert type(model[0]) is kind
