"""Do the gradients stay when activations are computed again instead of kept?"""

import pytest
import torch
from living_subjects import batch, build, config, distance, training_pass
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from mercuric import reuse_


class Recomputed(nn.Module):
    """A network whose inner results are not kept for the backward pass."""

    def __init__(self, inner: nn.Module, reentrant: bool) -> None:
        super().__init__()
        self.inner = inner
        self.reentrant = reentrant

    def forward(self, images: Tensor) -> Tensor:
        output: Tensor = checkpoint(self.inner, images, use_reentrant=self.reentrant)
        return output


@pytest.mark.parametrize("reentrant", [False, True])
def test_gradients_stay_and_passes_count_again(name: str, backward: str, reentrant: bool) -> None:
    kept, model = build(name), build(name)
    once, handle = reuse_(kept, config(backward)), reuse_(model, config(backward))
    expected = training_pass(kept)
    found = training_pass(Recomputed(model, reentrant), batch()[0].clone().requires_grad_())
    found.gradients = {key.removeprefix("inner."): value for key, value in found.gradients.items()}
    assert distance(found, expected) < 1e-5
    again = handle.report()["vectors"] / once.report()["vectors"]
    assert again[:-1].eq(2).all()
    # The other form stops as soon as it has all it needs: before the last layer has counted.
    assert again.iloc[-1] == (2 if reentrant else 1)
    assert (
        (handle.report()["HIT"] / handle.report()["vectors"])
        .iloc[:-1]
        .equals((once.report()["HIT"] / once.report()["vectors"]).iloc[:-1])
    )


@pytest.mark.parametrize("reentrant", [False, True])
def test_under_autocast_and_by_halves(backward: str, reentrant: bool) -> None:
    kept, model = build("cnn"), build("cnn")
    reuse_(kept, config(backward))
    reuse_(model, config(backward))
    halves = nn.Sequential(Recomputed(model[:5], reentrant), Recomputed(model[5:], reentrant))
    expected = training_pass(kept, autocast=torch.bfloat16)
    found = training_pass(halves, batch()[0].clone().requires_grad_(), autocast=torch.bfloat16)
    found.gradients = {key.split(".inner.")[1]: value for key, value in found.gradients.items()}
    if backward == "exact":
        assert distance(found, expected) < 1e-5
    assert torch.equal(found.output, expected.output)
    assert found.gradients.keys() == expected.gradients.keys()
