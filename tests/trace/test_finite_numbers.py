"""Is a network that computes with NaN or infinity refused by its layer's name, in every dtype?"""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import mercuric

INPUTS = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


class Overflowing(nn.Module):
    """An activation that is too large for any dtype."""

    def forward(self, x: Tensor) -> Tensor:
        return (x.double().abs() + 1).pow(9999).to(x.dtype)


def network(*between: nn.Module) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        *between,
        nn.Conv2d(4, 4, 3),
        nn.Flatten(),
        nn.Linear(64, 2),
    )


def spoil(model: nn.Module, name: str, value: float) -> nn.Module:
    with torch.no_grad():
        model.get_parameter(name).view(-1)[1] = value
    return model


CASES: dict[str, tuple[Callable[[float], tuple[nn.Module, Tensor]], str]] = {
    "a bias": (lambda v: (spoil(network(), "0.bias", v), INPUTS), "bias of layer '0'"),
    "a weight": (lambda v: (spoil(network(), "5.weight", v), INPUTS), "weight of layer '5'"),
    "a normalisation": (lambda v: (spoil(network(), "1.weight", v), INPUTS), "weight of layer '1'"),
    "the inputs": (lambda v: (network(), INPUTS.index_fill(2, torch.tensor([3]), v)), "input of layer '0'"),
    "an activation": (lambda _: (network(Overflowing()), INPUTS), "input of layer '4'"),
}  # fmt: skip


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("case", CASES)
def test_what_is_not_finite_is_refused_by_name(case: str, value: float, dtype: torch.dtype) -> None:
    build, what = CASES[case]
    model, inputs = build(value)
    model = model.to(dtype)
    kinds = [type(module) for module in model]
    sentence = rf"^{what} was {dtype} with NaN or infinity, but a network must compute with finite numbers"
    with pytest.raises(ValueError, match=sentence):
        mercuric.simulate(model, inputs.to(dtype))
    assert [type(module) for module in model] == kinds
    assert not any(module._forward_pre_hooks for module in model.modules())


def test_masks_may_hold_infinities() -> None:
    class Words(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.heads = nn.MultiheadAttention(8, 2, batch_first=True)
            self.last = nn.Linear(8, 2)
            self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(5))

        def forward(self, words: Tensor) -> Tensor:
            output: Tensor = self.last(self.heads(words, words, words, attn_mask=self.mask)[0])
            return output

    assert mercuric.simulate(Words(), torch.randn(2, 5, 8)).speedup() > 0
