"""Does a layer take the following layer's Hitmap only where no element has moved between them?"""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from mercuric import ReuseConfig, reuse_
from mercuric.reuse import Observation

C, SIDE = 4, 6
SHAPE = (2, C, SIDE, SIDE)
Step = Callable[[Tensor], Tensor]
mask = torch.rand(SHAPE, generator=torch.Generator().manual_seed(0)).round()
gain = nn.Parameter(torch.ones(C, 1, 1))

KEEPING: dict[str, Step] = {
    **{
        type(module).__name__: module
        for module in (
            nn.ReLU(), nn.ReLU6(), nn.LeakyReLU(), nn.PReLU(), nn.RReLU(), nn.ELU(), nn.CELU(), nn.SELU(),
            nn.GELU(), nn.SiLU(), nn.Mish(), nn.Hardswish(), nn.Hardsigmoid(), nn.Hardtanh(), nn.Sigmoid(),
            nn.Tanh(), nn.Softplus(), nn.Softshrink(), nn.Hardshrink(), nn.LogSigmoid(),
            nn.Threshold(0.1, 0.2), nn.Dropout(), nn.Dropout2d(), nn.Identity(), nn.BatchNorm2d(C),
            nn.GroupNorm(2, C),
            nn.InstanceNorm2d(C, affine=True), nn.LayerNorm([C, SIDE, SIDE]),
        )
    },
    "batch normalisation that evaluates": nn.BatchNorm2d(C).eval(),
    "instance normalisation without weights": nn.InstanceNorm2d(C),
    "layer normalisation of rows": nn.LayerNorm(SIDE),
    "in place": lambda x: F.relu_(x.clone()),
    "a cast and back": lambda x: x.double().float(),
    "contiguous": lambda x: x.contiguous(memory_format=torch.channels_last),
    "a view and back": lambda x: x.contiguous().view(2, C, -1).tanh().view(SHAPE),
    "a flat view and back": lambda x: x.reshape(-1).relu().unflatten(0, SHAPE),
    "unsqueezed": lambda x: x.unsqueeze(0).squeeze(0),
    "a mask": lambda x: x * mask,
    "a gain": lambda x: x * gain / 2,
    "clamped": lambda x: x.clamp(-1, 1).clamp(min=-0.5),
    "a square": lambda x: x**2,
}  # fmt: skip
MOVING: dict[str, Step] = {
    "flipped channels": lambda x: x.flip(1),
    "mirrored": lambda x: x.flip(3),
    "rolled": lambda x: x.roll(1, 2),
    "shuffled channels": nn.ChannelShuffle(2),
    "indexed": lambda x: x[:, [1, 0, 3, 2]],
    "selected": lambda x: x.index_select(1, torch.tensor([3, 2, 1, 0])),
    "transposed": lambda x: x.transpose(2, 3),
    "permuted": lambda x: x.permute(0, 1, 3, 2),
    "channels as rows": lambda x: x.permute(0, 2, 3, 1).reshape(SHAPE),
    "sums along": lambda x: x.cumsum(2),
    "a maximum of stride 1": nn.MaxPool2d(3, 1, 1),
    "a mean of stride 1": nn.AvgPool2d(3, 1, 1),
    "sorted": lambda x: x.sort(dim=1).values,
    "shifted": lambda x: F.pad(x, (1, -1)),
    "rotated": lambda x: torch.rot90(x, 1, (2, 3)),
    "gathered": lambda x: x.gather(1, torch.zeros(SHAPE, dtype=torch.int64)),
    "a matrix": lambda x: torch.eye(SIDE).flip(0) @ x,
    "pixels shuffled": lambda x: F.pixel_unshuffle(F.pixel_shuffle(x, 2), 2).flip(2),
    "a sum": lambda x: x + x.tanh(),
    "a sum with the input": lambda x: x + mask,
    "a product": lambda x: x * x.sigmoid(),
    "overwritten": lambda x: torch.where(mask > 0, x, x.flip(1)),
    "written into": lambda x: torch.zeros(SHAPE).copy_(x.flip(1)),
    "a slice written": lambda x: x.clone().index_copy_(1, torch.tensor([0]), x[:, 1:2]),
    "another of its kind": lambda x: Relu.apply(x),
    "interpolated": lambda x: F.interpolate(x, size=SIDE, mode="bilinear"),
    "sampled": lambda x: F.grid_sample(x, torch.rand(2, SIDE, SIDE, 2), align_corners=False),
    "softmax": nn.Softmax(1),
    "joined": lambda x: torch.cat([x[:, :2], x[:, 2:]], 1),
    "stacked": lambda x: torch.stack(list(x.unbind(1)), 1),
    "einsum": lambda x: torch.einsum("ncyx->ncxy", x),
    "spectrum": lambda x: torch.fft.fft2(x).real,
}  # fmt: skip


class Relu(torch.autograd.Function):
    """Somebody's own, which turns the image over."""

    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:  # noqa: ARG004
        return x.flip(2)

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> Tensor:  # noqa: ARG004
        return gradient.flip(2)


class Chain(nn.Module):
    """Two convolutions and what stands between."""

    def __init__(self, steps: list[Step]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Conv2d(3, C, 3, padding=1), nn.Conv2d(C, 3, 3, padding=1)
        self.steps = steps

    def forward(self, images: Tensor) -> Tensor:
        hidden = self.first(images)
        for step in self.steps:
            hidden = step(hidden)
        output: Tensor = self.second(hidden)
        return output


def shares(model: nn.Module, images: Tensor) -> bool:
    """Whether the first layer's gradient vectors go by the second layer's Hitmap."""
    seen: list[Observation] = []
    reuse_(model, ReuseConfig(bits=8, backward="signature")).observe(seen.append)
    model(images.requires_grad_()).square().sum().backward()
    told = {one.layer: one.bits for one in seen if one.product == "input_gradient"}
    return told["first"] == 0


IMAGES = torch.randn(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", KEEPING)
def test_what_keeps_places_is_looked_through(name: str) -> None:
    assert shares(Chain([KEEPING[name]]), IMAGES.clone())


@pytest.mark.parametrize("name", MOVING)
def test_what_moves_or_mixes_elements_ends_the_search(name: str) -> None:
    assert not shares(Chain([MOVING[name]]), IMAGES.clone())


@settings(max_examples=80, deadline=None)
@given(st.lists(st.sampled_from(sorted(KEEPING)) | st.sampled_from(sorted(MOVING)), max_size=4))
@example(["a flat view and back"] * 4)  # three operations of the graph each
def test_of_random_graphs_those_share_that_keep_every_place(names: list[str]) -> None:
    steps = [(KEEPING | MOVING)[name] for name in names]
    assert shares(Chain(steps), IMAGES.clone()) == set(names).issubset(KEEPING)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(sorted(KEEPING)), max_size=3), st.sampled_from(sorted(MOVING)))
def test_two_steps_that_cancel_are_not_known_to(names: list[str], moving: str) -> None:
    """What the graph can't tell, it doesn't guess: then gradient vectors get signatures of their own."""
    steps = [KEEPING[name] for name in names]
    assert not shares(Chain([MOVING[moving], *steps, MOVING[moving]]), IMAGES.clone())


def test_another_shape_of_as_many_elements_is_another_place() -> None:
    class Reshaped(Chain):
        def forward(self, images: Tensor) -> Tensor:
            hidden = self.first(images)
            output: Tensor = self.second(hidden.view(1, C, 2 * SIDE, SIDE))
            return output

    assert not shares(Reshaped([]), IMAGES.clone())


def test_padding_that_is_not_zeros_is_no_gradients_padding() -> None:
    model = Chain([])
    model.second = nn.Conv2d(C, 3, 3, padding=1, padding_mode="circular")
    assert not shares(model, IMAGES.clone())


def test_an_image_without_a_batch() -> None:
    assert shares(Chain([nn.ReLU()]), IMAGES[0].clone())


def test_rows_of_several_dimensions() -> None:
    class Rows(nn.Module):
        def __init__(self, moves: bool) -> None:
            super().__init__()
            self.first, self.second, self.moves = nn.Linear(3, 5), nn.Linear(5, 2), moves

        def forward(self, rows: Tensor) -> Tensor:
            hidden = self.first(rows).relu()
            output: Tensor = self.second(hidden.transpose(0, 1) if self.moves else hidden)
            return output

    for moves in (False, True):
        assert shares(Rows(moves), torch.randn(4, 4, 3)) != moves


def test_through_a_flip_it_is_the_gradient_of_its_own_vectors() -> None:
    """The case that told: the same function with the flip in the weights of the second layer."""
    turned = Chain([nn.ReLU(), lambda x: x.flip(1)]).double()
    straight = Chain([nn.ReLU(), lambda x: x + 0 * x.flip(1)]).double()
    straight.second.weight.data = turned.second.weight.data.flip(1)
    found = []
    for model in (turned, straight):
        reuse_(model, ReuseConfig(bits=6, magnitude=None, backward="signature"))
        images = F.interpolate(IMAGES.double(), size=24, mode="bilinear").requires_grad_()
        output = model(images)
        (gradient,) = torch.autograd.grad(output.square().sum(), images)
        found.append((output.detach(), gradient))
        assert model.first.reuse.gradient_counts.hit > 0
    torch.testing.assert_close(found[0], found[1])
