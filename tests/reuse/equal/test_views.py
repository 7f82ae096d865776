"""Do views of shared tensors hold what PyTorch's hold, and stay shared where the channels stay together?"""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from shared_subjects import CLASSES, Function, Pair, is_shared, same
from torch.autograd import gradcheck

from mercuric.reuse.equal.classes import Classes
from mercuric.reuse.equal.expansion import dense
from mercuric.reuse.equal.table import share

SHARED: dict[str, Function] = {
    "view": lambda x: x.view(2, 6, 20),
    "reshape": lambda x: x.reshape(2, 3, 2, 4, 5),
    "flat": lambda x: x.flatten(1) if x.is_contiguous() else x.reshape(2, -1),
    "all flat": lambda x: x.flatten(),
    "unflatten": lambda x: x.unflatten(1, (2, 3)),
    "squeeze": lambda x: x[:, :, 0:1].squeeze(2),
    "unsqueeze": lambda x: x.unsqueeze(0).squeeze(0).unsqueeze(-1),
    "permute": lambda x: x.permute(0, 2, 3, 1),
    "transpose": lambda x: torch.transpose(x, 1, 2),
    "mT": lambda x: x.mT,
    "tokens": lambda x: x.flatten(2).transpose(1, 2),
    "movedim": lambda x: x.movedim(1, -1).flatten(1, 2),
    "shuffle": lambda x: x.reshape(2, 2, 3, 4, 5).transpose(1, 2).contiguous().view(2, 6, 4, 5),
    "there and back": lambda x: x.permute(0, 2, 3, 1).relu().permute(0, 3, 1, 2).reshape(2, -1),
    "channels": lambda x: x[:, 1:4],
    "a channel": lambda x: x[:, 2],
    "an image": lambda x: x[0],
    "lines": lambda x: x[..., ::2],
    "new": lambda x: x[:, :, None, 1],
    "last": lambda x: x[-1, -2:],
    "gathered": lambda x: x[torch.tensor([1, 0, 1])],
    "marked": lambda x: x[torch.tensor([False, True])],
    "select": lambda x: x.select(2, -1),
    "narrow": lambda x: x.narrow(1, 2, 3).narrow(-1, 1, 2),
    "chunk": lambda x: x.chunk(2, 1)[1],
    "split": lambda x: x.split([1, 2, 3], dim=1)[2],
    "unbind": lambda x: sum(x.unbind(1)),
    "tensor_split": lambda x: x.tensor_split(3, dim=-1)[0],
    "expand": lambda x: x[:, :, :1].expand(2, 6, 4, 5),
    "more images": lambda x: x.expand(3, 2, 6, 4, 5),
    "more channels": lambda x: x[:, :1].expand(-1, 6, -1, -1),
    "clone": lambda x: x.clone(),
    "format": lambda x: x.contiguous(memory_format=torch.channels_last),
}
DENSE: dict[str, Function] = {
    "channels and positions mixed": lambda x: x.transpose(1, 2).flatten(1, 2).unflatten(1, (8, 3)).mT,
    "strided": lambda x: x.as_strided((2, 3), (1, 1)),
    "diagonal": lambda x: x.diagonal(),
    "too many": lambda x: x[0, 0, 0, 0, 0],
    "out of range": lambda x: x[7],
    "no such shape": lambda x: x.view(7, -1),
    "nothing": lambda x: x[:, :, 0:0],
    "channels last is no such view": lambda x: x.view(2, -1),
}


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("name", SHARED)
def test_they_stay_shared(name: str, channels_last: bool) -> None:
    pair = Pair(channels_last=channels_last)
    assert is_shared(same(SHARED[name], pair))
    assert not pair.record.expanded or set(pair.record.expanded) == {"the test"}


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("name", DENSE)
def test_others_are_dense_or_raise_what_pytorch_raises(name: str, channels_last: bool) -> None:
    same(DENSE[name], Pair(channels_last=channels_last))


PROGRAMS = {
    "the view": "v = x.view(2, 6, 20); v.mul_(2); r = x + v.view(2, 6, 4, 5)",
    "the base": "v = x.view(2, 6, 20); x.mul_(2); r = x + v.view(2, 6, 4, 5)",
    "both": "v = x.permute(0, 2, 3, 1); x.mul_(2); v.add_(1); r = x + v.permute(0, 3, 1, 2)",
    "both otherwise": "v = x[:, 1:3]; v += 1; w = x[:, 2]; w.mul_(3); r = x + v.sum(1, keepdim=True)",
    "settled, then the view": "v = x.view(2, 6, 20); x[:, 0] = 5; v.mul_(2); r = x * 1",
    "a piece": "a, b = x.split(3, 1); r = a * b.sigmoid()",
    "an item": "x[0] *= 2; r = x * x",
    "marked": "x[x > 0] = 0; r = x * x",
    "a channel": "x[:, 0] = 5; r = x * x",
    "no copy": "y = x.contiguous(); y.mul_(2); r = x",
    "a copy": "y = x.permute(0, 2, 3, 1).contiguous(); y.mul_(2); r = x + y.permute(0, 3, 1, 2)",
    "a clone": "y = x.clone(); F.leaky_relu(x, 0.1, True); r = x * 2 + y",
    "in place by position": "v = x.view(2, 6, 20); F.elu(v, 1.0, True); r = x * 1",
    "in place by name": "v = x.view(2, 6, 20); F.relu(v, inplace=True); r = x * 1",
    "views of views": "b = x[:, 0:3].view(2, 3, 20); b.mul_(2); r = x * 1 + b.sum(1).view(2, 1, 4, 5)",
    "detached": "y = x.detach(); y.mul_(2); r = x * 1",
    "without gradients": "y = x * 2\nwith torch.no_grad(): y.mul_(3)\nr = y + x",
    "flat": "y = x.flatten(1); y = (y * 2 + 1).relu(); r = y.view(2, 6, 4, 5)",
    "flat, in place": "y = x.flatten(1); F.relu(y, inplace=True); r = y + x.flatten(1)",
    "the same dtype": "y = x.double(); y.mul_(2); r = x",
    "out": "y = x.detach() * 1; torch.sigmoid(x.detach(), out=y); r = y * x",
}  # fmt: skip


@pytest.mark.parametrize("gradient", [True, False])
@pytest.mark.parametrize("name", PROGRAMS)
def test_who_writes_into_one_writes_into_the_other(name: str, gradient: bool) -> None:
    def program(value: torch.Tensor) -> torch.Tensor:
        names = {"x": value * 1, "torch": torch, "F": F}
        exec(PROGRAMS[name], names)  # noqa: S102 - written above
        result: torch.Tensor = names["r"]  # type: ignore[assignment]
        return result

    same(program, Pair(gradient=gradient))


@settings(max_examples=60)
@given(
    st.permutations(range(4)), st.sampled_from([(2, 6, 20), (12, 20), (2, 3, 2, 20), (240,), (2, 1, 6, 20)])
)
def test_any_order_then_any_shape(order: list[int], shape: tuple[int, ...]) -> None:
    same(lambda x: x.permute(order).reshape(shape), Pair())
    same(lambda x: x.reshape(shape).reshape(2, 6, 4, 5).permute(order).flatten(1), Pair())


@settings(max_examples=60)
@given(st.lists(st.one_of(st.none(), st.integers(-2, 1), st.slices(4), st.just(...)), max_size=6))
def test_any_index(items: list[object]) -> None:
    index = tuple(items) if items.count(...) <= 1 else tuple(item for item in items if item is not ...)
    steps = (item.step for item in index if isinstance(item, slice))
    if all(step is None or step > 0 for step in steps):
        same(lambda x: x[index], Pair())


def test_gradients_of_views_are_right() -> None:
    pair = Pair((1, 4, 2, 3))

    def through(rows: torch.Tensor) -> torch.Tensor:
        x = share(rows, Classes(pair.ids, CLASSES), 1, pair.record)
        return dense((x.permute(0, 2, 3, 1) * 2)[..., 1:].flatten(1).tanh(), "the test")

    assert gradcheck(through, (pair.rows,))
