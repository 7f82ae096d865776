"""Is dO the product of gradient vectors that paper III-C2 describes?"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mercuric import ReuseConfig, ReuseConv2d, ReuseLinear, restore_, reuse_
from mercuric.reuse import Observation
from mercuric.similarity import MCache, random_projection, reference_signatures

OPTIONS: list[dict[str, Any]] = [
    {"padding": 1},
    {},
    {"stride": 2, "padding": 1},
    {"stride": 3, "padding": 2},
    {"padding": 2, "dilation": 2},
    {"kernel_size": (3, 2), "padding": (0, 1)},
    {"kernel_size": 1},
    {"padding": "same", "kernel_size": 5},
    {"groups": 2, "padding": 1},
]


def upstream(output: Tensor) -> Tensor:
    return torch.randn(output.shape, generator=torch.Generator().manual_seed(3)).relu()


def input_gradient(layer: nn.Module, inputs: Tensor) -> Tensor:
    tracked = inputs.clone().requires_grad_()
    output = layer(tracked)
    output.backward(upstream(output.detach()))
    assert tracked.grad is not None
    return tracked.grad


def windows_of(gradient: Tensor, conv: nn.Conv2d, size: tuple[int, int]) -> Tensor:
    """(N, M, taps, pixels of the input): which outputs' gradients each input pixel meets, by definition."""
    images, filters = gradient.shape[:2]
    (kh, kw), (sy, sx), (dy, dx) = conv.kernel_size, conv.stride, conv.dilation
    left, _, top, _ = conv._reversed_padding_repeated_twice
    found = gradient.new_zeros(images, filters, kh, kw, *size)
    for y in range(size[0]):
        for x in range(size[1]):
            for i in range(kh):
                for j in range(kw):
                    # Turned kernels: the window's first element is the farthest output.
                    row, column = y + top - (kh - 1 - i) * dy, x + left - (kw - 1 - j) * dx
                    r, c = row // sy, column // sx
                    inside = 0 <= r < gradient.shape[2] and 0 <= c < gradient.shape[3]
                    if row % sy == column % sx == 0 and inside:
                        found[:, :, i, j, y, x] = gradient[:, :, r, c]
    return found.flatten(2, 3).flatten(3)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize(("granularity", "scope"), [("channel", "image"), ("patch", "batch"), (2, "image")])
def test_by_definition(options: dict[str, Any], granularity: Any, scope: Any, photographs: Tensor) -> None:
    torch.manual_seed(0)
    config = ReuseConfig(
        bits=6, magnitude=None, entries=16, ways=4, granularity=granularity, scope=scope, backward="signature"
    )
    conv = ReuseConv2d(2, 4, **{"kernel_size": 3, **options}, reuse=config)
    inputs = photographs[:2, :2, :9, :7].clone()
    found = input_gradient(conv, inputs)
    output = F.conv2d(inputs, conv.weight, conv.bias, conv.stride, conv.padding, conv.dilation, conv.groups)
    windows = windows_of(upstream(output), conv, (9, 7))
    span = 1 if granularity == "channel" and conv.kernel_size != (1, 1) else 4 // conv.groups
    span = 2 if granularity == 2 and conv.kernel_size != (1, 1) else span
    vectors = windows.unflatten(1, (-1, span)).flatten(2, 3).transpose(2, 3)  # images, groups, pixels, length
    images, groups, pixels, length = vectors.shape
    scopes = vectors if scope == "image" else vectors.transpose(0, 1).reshape(1, groups, -1, length)
    signed = reference_signatures(scopes.reshape(-1, scopes.shape[2], length), random_projection(length, 6))
    hitmap = MCache(16, 4).reference_access(signed)
    chosen = hitmap.representatives[..., None].expand(-1, -1, length)
    replaced = scopes.reshape(-1, scopes.shape[2], length).gather(1, chosen)
    if scope == "batch":
        replaced = replaced.view(groups, images, pixels, length).transpose(0, 1).reshape(-1, pixels, length)
    replaced = replaced.view(images, groups, pixels, length)
    taps = length // span
    rows = replaced.unflatten(3, (span, taps)).permute(0, 1, 3, 4, 2).reshape(images, 4, taps, pixels)
    kernels = conv.weight.detach().flip(-1, -2).flatten(2)  # (M, C / groups, taps)
    filters, channels = 4 // conv.groups, 2 // conv.groups
    expected = torch.einsum(
        "nmftp,mfct->nmcp",
        rows.view(images, conv.groups, filters, taps, pixels),
        kernels.view(conv.groups, filters, channels, taps),
    )
    torch.testing.assert_close(found, expected.reshape(found.shape), rtol=1e-4, atol=1e-4)
    assert conv.reuse.gradient_counts.hit == hitmap.hits.sum() > 0
    assert conv.reuse.gradient_counts.zero == (vectors == 0).all(-1).sum()


@pytest.mark.parametrize("options", [*OPTIONS, {"padding": 1, "padding_mode": "reflect"}], ids=str)
def test_without_similarity_it_is_the_gradient(options: dict[str, Any]) -> None:
    torch.manual_seed(1)
    config = ReuseConfig(bits=128, entries=None, granularity="patch", backward="signature")
    conv = ReuseConv2d(16, 16, **{"kernel_size": 3, **options}, reuse=config).double()
    inputs = torch.randn(2, 16, 9, 7, dtype=torch.float64, requires_grad=True)
    dense = nn.Conv2d.forward(conv, inputs)
    gradient = torch.randn(dense.shape, dtype=torch.float64)
    expected = torch.autograd.grad(dense, [inputs, conv.weight], gradient)
    found = torch.autograd.grad(conv(inputs), [inputs, conv.weight], gradient)
    assert conv.reuse.counts.hit == 0
    assert conv.reuse.gradient_counts.hit == conv.reuse.gradient_counts.zero_hits
    for product, other in zip(found, expected, strict=True):
        torch.testing.assert_close(product, other)


def test_fully_connected_layers() -> None:
    torch.manual_seed(0)
    config = ReuseConfig(bits=3, magnitude=None, backward="signature")
    for shape in [(40, 6), (3, 20, 6)]:
        linear = ReuseLinear(6, 5, reuse=config)
        inputs = torch.randn(*shape)
        found = input_gradient(linear, inputs)
        gradient = upstream(torch.empty(*shape[:-1], 5))
        scopes = gradient.view(-1, shape[-2], 5)
        hitmap = MCache().reference_access(reference_signatures(scopes, random_projection(5, 3)))
        rows = scopes.gather(1, hitmap.representatives[..., None].expand_as(scopes))
        torch.testing.assert_close(found, (rows @ linear.weight.detach()).view(shape))
        assert linear.reuse.gradient_counts.hit == hitmap.hits.sum() > 0


@pytest.mark.parametrize("granularity", ["channel", "patch"])
def test_the_weight_gradient_is_the_exact_one(granularity: Any, photographs: Tensor) -> None:
    """dW sums gradients over each group of alike input vectors, whichever dO is chosen."""
    gradients = []
    for backward in ("exact", "signature"):
        torch.manual_seed(0)
        conv = ReuseConv2d(3, 4, 3, padding=1, reuse=ReuseConfig(granularity=granularity, backward=backward))
        input_gradient(conv, photographs)
        gradients.append([conv.weight.grad, conv.bias.grad])
    for exact, signature in zip(*gradients, strict=True):
        assert torch.equal(exact, signature)


def chain(*between: nn.Module, second: dict[str, Any] | None = None) -> nn.Sequential:
    torch.manual_seed(0)
    options = {"kernel_size": 3, "padding": 1, **(second or {})}
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), *between, nn.Conv2d(4, 5, **options))


def told(model: nn.Module, inputs: Tensor, **config: Any) -> dict[str, Observation]:
    """The gradient observations of one training pass, by layer."""
    handle = reuse_(model, ReuseConfig(**{"bits": 12, "backward": "signature", **config}))
    seen: list[Observation] = []
    handle.observe(seen.append)
    model(inputs.clone().requires_grad_()).square().sum().backward()
    assert [one.product for one in seen].count("forward") == len(handle.layers)
    return {one.layer: one for one in seen if one.product == "input_gradient"}


@pytest.mark.parametrize(
    "between",
    [(), (nn.ReLU(inplace=True),), (nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.5))],
    ids=["nothing", "activation", "normalisation"],
)
@pytest.mark.parametrize("granularity", ["channel", "patch"])
def test_the_following_layers_signatures_are_used_again(
    between: tuple[nn.Module, ...], granularity: Any, photographs: Tensor
) -> None:
    model = chain(*between)
    seen = told(model, photographs, granularity=granularity)
    last = str(len(model) - 1)
    assert seen["0"].bits == 0
    assert seen[last].bits == 12
    assert seen["0"].hitmap is not None
    assert (
        int(seen["0"].hitmap.hits.sum())
        == model[-1].reuse.counts.hit
        == model[0].reuse.gradient_counts.hit
        > 0
    )
    assert seen["0"].shape.vectors == 32 * 32


def test_the_product_with_the_following_layers_signatures(photographs: Tensor) -> None:
    """Each channel's gradient windows are replaced as the following layer's input windows were."""
    model = chain(second={"padding": 1})
    inputs = photographs[:2].clone().requires_grad_()
    config = ReuseConfig(bits=12, magnitude=None, backward="signature")
    reuse_(model, config)
    kept: list[Tensor] = []
    hidden = model[0](inputs)
    hidden.register_hook(kept.append)
    model[1](hidden).square().sum().backward()
    windows = F.unfold(hidden.detach(), 3, padding=1).view(2 * 4, 9, -1).transpose(1, 2)
    hitmap = MCache().reference_access(reference_signatures(windows, random_projection(9, 12)))
    gradients = F.unfold(kept[0], 3, padding=1).view(2 * 4, 9, -1)
    replaced = gradients.gather(2, hitmap.representatives[:, None].expand_as(gradients)).view(2, 36, -1)
    turned = model[0].weight.detach().flip(-1, -2).transpose(0, 1).reshape(3, 36)
    torch.testing.assert_close(inputs.grad.flatten(2), turned @ replaced, rtol=1e-4, atol=1e-4)


class Residual(nn.Module):
    """The sum of two results is no result of either."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        output: Tensor = self.second(self.first(images) + images)
        return output


@pytest.mark.parametrize(
    "build",
    [
        lambda: chain(nn.MaxPool2d(2)),
        lambda: chain(second={"kernel_size": 5, "padding": 2}),
        lambda: chain(second={"stride": 2}),
        lambda: chain(second={"padding": 0}),
        Residual,
    ],
    ids=["pooling", "another kernel", "a stride", "other places", "a sum"],
)
def test_gradient_vectors_get_their_own_signatures_elsewhere(
    build: Callable[[], nn.Module], photographs: Tensor
) -> None:
    assert {one.bits for one in told(build(), photographs).values()} == {12}


def test_a_following_layer_that_is_off_left_no_signatures(photographs: Tensor) -> None:
    model = chain()
    handle = reuse_(model, ReuseConfig(bits=12, backward="signature"))
    handle.switch_off("1")
    seen: list[Observation] = []
    handle.observe(seen.append)
    model(photographs.clone().requires_grad_()).sum().backward()
    assert [(one.layer, one.product, one.bits) for one in seen] == [
        ("0", "forward", 12), ("1", "forward", 0), ("0", "input_gradient", 12)
    ]  # fmt: skip


def test_fully_connected_layers_that_follow_each_other() -> None:
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 5))
    seen = told(model, torch.randn(30, 6), bits=4)
    assert (seen["0"].bits, seen["2"].bits) == (0, 4)
    assert model[0].reuse.gradient_counts.hit == model[2].reuse.counts.hit


def test_reports_count_gradient_vectors(network: nn.Sequential, photographs: Tensor) -> None:
    handle = reuse_(network, ReuseConfig(bits=12, backward="signature"))
    network(photographs).sum().backward()
    report = handle.report()
    states = report["gradient_HIT"] + report["gradient_MAU"] + report["gradient_MNU"]
    assert states.tolist() == report["gradient_vectors"].tolist() == [0, 7 * 8 * 16 * 16, 7]
    with handle.uncounted():
        network(photographs).sum().backward()
    assert handle.report()["gradient_vectors"].tolist() == report["gradient_vectors"].tolist()


def test_no_gradient_vectors_without_a_backward_pass(network: nn.Sequential, photographs: Tensor) -> None:
    handle = reuse_(network, ReuseConfig(bits=12, backward="signature"))
    with torch.no_grad():
        network(photographs)
    assert not handle.report()["gradient_vectors"].any()


def test_how_far_it_is_from_the_true_gradient(network: nn.Sequential, photographs: Tensor) -> None:
    """Weight gradients on photographs, layer by layer, against those of dense training.

    Longer signatures bring "signature" closer where gradients are dense. The first layer's gradient
    comes through a stride and a pooling: its vectors have one nonzero element or two, whose size a
    signature does not know, and the gradient is not even of the right direction.
    """
    distance = {
        (backward, bits): gradient_distances(
            network, photographs, ReuseConfig(bits=bits, magnitude=None, backward=backward)
        )
        for backward in ("exact", "signature")
        for bits in (20, 64)
    }
    first, second, last = zip(*distance.values(), strict=True)
    exact_20, exact_64, signature_20, signature_64 = zip(first, second, last, strict=True)
    assert signature_64[1:] < signature_20[1:]
    assert max(signature_64[1:]) < 0.5
    assert signature_20[2] == exact_20[2]  # nothing lies behind the last layer
    assert signature_20[1] == pytest.approx(exact_20[1], rel=0.1)
    assert exact_64[0] < exact_20[0] < 1 < signature_64[0]


def gradient_distances(network: nn.Module, inputs: Tensor, config: ReuseConfig) -> tuple[float, ...]:
    """Relative distance of each layer's weight gradient from the dense one."""
    gradients = []
    for reuse in (False, True):
        if reuse:
            reuse_(network, config)
        network.zero_grad()
        F.cross_entropy(network(inputs), torch.arange(len(inputs)) % 5).backward()
        gradients.append([p.grad.clone() for name, p in network.named_parameters() if p.dim() > 1])
    restore_(network)
    return tuple(float((found - true).norm() / true.norm()) for true, found in zip(*gradients, strict=True))
