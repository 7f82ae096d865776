"""Does reuse follow evaluation, inference, frozen layers and optimizers made before?"""

from contextlib import AbstractContextManager

import pytest
import torch
from living_subjects import batch, build, config, distance, training_pass

from mercuric import ReuseConfig, restore_, reuse_


@pytest.mark.parametrize("without_gradients", [torch.no_grad, torch.inference_mode])
def test_inference_then_training(
    name: str, backward: str, without_gradients: type[AbstractContextManager[None]]
) -> None:
    """Projections first drawn in inference mode serve training too."""
    model, other = build(name), build(name)
    plain = build(name).eval()
    handle = reuse_(model, config(backward))
    reuse_(other, config(backward))
    model.eval()
    with without_gradients():
        first = model(batch()[0])
        assert torch.equal(model(batch()[0]), first)
        with handle.off():
            torch.testing.assert_close(model(batch()[0]), plain(batch()[0]), rtol=1e-4, atol=1e-5)
    assert not first.requires_grad
    assert (handle.report()["vectors"] > 0).all()
    torch.testing.assert_close(model(batch()[0]).detach(), first, rtol=1e-5, atol=1e-6)
    model.train()
    assert distance(training_pass(model), training_pass(other)) < 1e-5


def test_switched_off_in_the_middle_of_training(name: str, backward: str) -> None:
    model, plain = build(name), build(name)
    handle = reuse_(model, config(backward, bits=4))
    training_pass(model)
    training_pass(plain)
    handle.switch_off()
    off, dense = training_pass(model), training_pass(plain)
    assert distance(off, dense) < 1e-4
    handle.switch_on()
    assert distance(training_pass(model), dense) > 1e-3


def test_frozen_layers_stay(name: str, backward: str) -> None:
    model = build(name)
    frozen = [key for key, _ in model.named_parameters()][::2]
    for key in frozen:
        model.get_parameter(key).requires_grad_(False)
    reuse_(model, config(backward))
    partly = training_pass(model)
    assert partly.gradients.keys().isdisjoint(frozen)
    restore_(model)
    for value in model.parameters():
        value.requires_grad_(True)
    reuse_(model, config(backward))
    whole = training_pass(model)
    for key, gradient in partly.gradients.items():
        torch.testing.assert_close(gradient, whole.gradients[key], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.AdamW])
def test_an_optimizer_made_before(name: str, backward: str, kind: type[torch.optim.Optimizer]) -> None:
    models = [build(name), build(name)]
    early = kind(models[0].parameters(), lr=0.01)
    for model in models:
        reuse_(model, config(backward))
    late = kind(models[1].parameters(), lr=0.01)
    before = [value.detach().clone() for value in models[0].parameters()]
    for model, optimizer in zip(models, (early, late), strict=True):
        for _ in range(2):
            training_pass(model)
            optimizer.step()
    for start, one, other in zip(before, *(model.parameters() for model in models), strict=True):
        assert torch.equal(one, other)
        # What a normalisation takes out again has no gradient but rounding: a bias before one.
        assert one.grad is not None
        assert not torch.equal(one, start) or one.grad.abs().max() < 1e-6


def test_gradients_accumulate(name: str, backward: str) -> None:
    model = build(name)
    reuse_(model, ReuseConfig(backward=backward, granularity="patch"))
    once = training_pass(model.eval())
    images, labels = batch()
    torch.nn.functional.cross_entropy(model(images), labels).backward()
    for key, value in model.named_parameters():
        assert value.grad is not None
        torch.testing.assert_close(value.grad, 2 * once.gradients[key], rtol=1e-4, atol=1e-6)
