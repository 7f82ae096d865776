"""Is every call of a module told of, and the module left alone?"""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mercuric.trace.recorder import first_argument, recording


class Twice(nn.Module):
    """Calls a layer by position, then by name."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(input=self.layer(x))  # type: ignore[no-any-return]


class Refusing(nn.Module):
    def forward(self, _: Tensor) -> Tensor:
        raise RuntimeError("refused")


def hooks(model: nn.Module) -> int:
    return sum(len(one._forward_hooks) + len(one._forward_pre_hooks) for one in model.modules())


def test_what_is_read_and_written_is_told_and_nothing_else_changes() -> None:
    model, x = Twice(), torch.randn(2, 3)
    expected, told = model(x), list[tuple[Any, ...]]()

    def before(name: str, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        assert module is model.layer
        told.append((name, first_argument(args, kwargs)))

    def after(name: str, _: nn.Module, __: Any, ___: Any, output: Tensor) -> None:
        told.append((name, output))

    with recording({"layer": model.layer}, before, after):
        assert hooks(model) == 2
        assert torch.equal(model(x), expected)
    assert hooks(model) == 0
    once = model.layer(x)
    assert [name for name, _ in told] == ["layer"] * 4
    assert all(map(torch.equal, [one for _, one in told], [x, once, once, expected]))


@pytest.mark.parametrize("foremost", [True, False])
def test_it_is_told_before_or_after_others(foremost: bool) -> None:
    module, order = nn.Identity(), list[str]()
    module.register_forward_pre_hook(lambda *_: order.append("own before"))
    module.register_forward_hook(lambda *_: order.append("own after"))
    tell = (lambda *_: order.append("before")), (lambda *_: order.append("after"))
    with recording({"": module}, *tell, foremost=foremost):
        module(torch.ones(1))
    told = [("before", "own before"), ("own after", "after")]
    expected = [*told[0], *reversed(told[1])] if foremost else [*reversed(told[0]), *told[1]]
    assert order == expected


@pytest.mark.parametrize("failed", [True, False])
def test_a_call_that_raises_has_ended_too(failed: bool) -> None:
    module, ended = Refusing(), list[Any]()
    with (
        pytest.raises(RuntimeError, match="refused"),
        recording({"": module}, after=lambda *told: ended.append(told[-1]), failed=failed),
    ):
        module(torch.ones(1))
    assert ended == ([None] if failed else [])
    assert hooks(module) == 0


def test_nothing_is_the_first_argument_of_a_call_without_any() -> None:
    assert first_argument((), {}) is None
    assert first_argument((1, 2), {"x": 3}) == 1
    assert first_argument((), {"x": 3}) == 3
