"""Are passes of a model with exact reuse right in threads, after failures, in parts, and of any input?"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from plain_twin import Twins, Two, close, gradients, images, network, step
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

import mercuric


def run_in_threads(functions: list[Callable[[], object]]) -> None:
    """All at once; the first error is raised here."""
    errors: list[BaseException] = []

    def caught(function: Callable[[], object]) -> None:
        try:
            function()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=caught, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def test_one_model_in_three_threads() -> None:
    twins = Twins().eval()
    batches = [images().roll(shift, 2) for shift in range(3)]
    expected = [twins.plain(batch) for batch in batches]

    def passes(place: int) -> None:
        for _ in range(4):
            close(twins.reused(batches[place]), expected[place])

    run_in_threads([lambda place=place: passes(place) for place in range(3)])
    twins.step_alike()


def step_unseeded(model: nn.Module) -> list[Tensor]:
    model.zero_grad()
    output = model(images())
    output.sum().backward()
    return [output.detach(), *gradients(model)]


def test_two_models_in_two_threads() -> None:
    def steps(twins: Twins) -> None:
        for _ in range(3):
            close(step_unseeded(twins.reused), step_unseeded(twins.plain))

    # Seeds are all threads': made before, without dropout.
    pairs = [Twins(lambda: network(0.0)) for _ in range(2)]
    run_in_threads([lambda twins=twins: steps(twins) for twins in pairs])


@dataclass
class Result:
    """What models of one's own give."""

    logits: Any
    more: Any = None


class Structured(Two):
    """Takes and gives tensors within other things."""

    def __init__(self) -> None:
        super().__init__()
        self.b = nn.Identity()

    def forward(self, given: Any, more: Any = None, *, by_name: Tensor | None = None) -> Any:
        y = self.a(given["x"][0]) + self.a(more[1])
        if by_name is not None:
            y = y + self.a(by_name)
        return {"out": y, "list": [y * 2, (y.relu(),)], "own": Result(y, (y + 1,))}


def plain_types(value: Any) -> bool:
    if isinstance(value, Tensor):
        return type(value) is Tensor
    inner = vars(value) if isinstance(value, Result) else value
    return all(plain_types(each) for each in (inner.values() if isinstance(inner, dict) else inner))


def test_inputs_within_dictionaries_are_dense_and_right() -> None:
    twins = Twins(Structured)
    inputs = ({"x": [images()]}, (1, images()))
    found, expected = (model(*inputs) for model in twins.both)
    close(found["out"], expected["out"])
    assert plain_types(found)
    assert twins.computes[0] == "dense: the model was given no tensor of vectors by itself"


def test_inputs_by_name_are_shared() -> None:
    twins = Twins(Structured)
    inputs = ({"x": [images()]}, (1, images()))
    found, expected = (model(*inputs, by_name=images()) for model in twins.both)
    for key in ("out", "list"):
        flat = tree_leaves(found[key])
        close(flat, tree_leaves(expected[key]))
    close([found["own"].logits, *found["own"].more], [expected["own"].logits, *expected["own"].more])
    assert plain_types(found)
    assert twins.computes[0] == "classes"


def test_passes_that_fail_leave_the_next_ones_alone() -> None:
    class Failing(Two):
        bad = True

        def forward(self, x: Tensor) -> Any:
            y = self.a(x)
            if self.bad:
                raise KeyError("no")
            return self.b(y)

    twins = Twins(Failing)
    with pytest.raises(KeyError):
        twins.reused(images())
    for model in twins.both:
        model.bad = False
    twins.step_alike()
    assert twins.computes == ["classes"] * 2


def test_parts_called_alone() -> None:
    twins = Twins()
    twins.agree(lambda model: model[2](model[0](images())))
    assert twins.computes[0] == "dense: the model itself was not called"


def test_reuse_within_another_model() -> None:
    inner = Twins(lambda: network(0.0))
    before = nn.Conv2d(3, 3, 1).double()
    models = [nn.Sequential(before, each) for each in inner.both]
    close(*(step(model, images()) for model in models))
    with pytest.raises(ValueError, match="model has reuse layers already; call restore_"):
        mercuric.reuse_(models[0], mercuric.Equal())


def test_images_smaller_than_kernels_are_refused() -> None:
    with pytest.raises(ValueError, match=r"input of layer '0' was \(4, 3, 3, 3\), but with its padding"):
        Twins(lambda: nn.Sequential(nn.Conv2d(3, 4, 5)).double()).reused(images()[:, :, :3, :3])
