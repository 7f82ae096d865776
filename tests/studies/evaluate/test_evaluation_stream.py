from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mercuric.accelerator import Accelerator, preset, read_workloads
from mercuric.accelerator.count.energy_counter import LayerCosts
from mercuric.accelerator.energy.layer_cost import fitting
from mercuric.data import load_images
from mercuric.reuse import Observation, ReuseConfig, ReuseHandle, reuse_
from mercuric.reuse.alike.method import AlikeMethod
from mercuric.reuse.products import ConvolutionCall
from mercuric.studies.evaluate.layers import dense_costs, reuse_costs
from mercuric.studies.evaluate.stream import image_by_image, joined

LIKE = preset("eyeriss-like")
SYSTOLIC = tuple(LIKE.changed(name=flow, dataflow=flow) for flow in ("weight", "input", "output"))
OPTIONS = tuple(
    LIKE.changed(name=str(options), **options)
    for options in (
        {"design": "asynchronous"},
        {"late_hits": "wait"},
        {"arrival": "interleaved"},
        {"insertion_queue": 2},
    )
)
WHOLE = 10**12


class Tokens(nn.Module):
    """Patches of an image as rows of a matrix: a fully connected layer of many vectors an image."""

    def forward(self, images: Tensor) -> Tensor:
        return images.flatten(2).transpose(1, 2)


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, stride=2, groups=2),
        nn.Conv2d(8, 6, 1),
        Tokens(),
        nn.Linear(6, 8),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(8 * 7 * 7, 5),
        nn.Linear(5, 4),
    )


@cache
def photographs() -> Tensor:
    return load_images("photos", None, 32).train.batch(torch.arange(5))[0]


def images(count: int) -> Tensor:
    """Photographs, one of them twice, so that vectors of a minibatch are alike."""
    found = photographs()[:count].clone()
    found[-1] = found[0]
    return found[..., 8:24, 8:24]


def costs(accelerators: tuple[Accelerator, ...], config: ReuseConfig, elements: int) -> list[LayerCosts]:
    model, batch = network(), images(5)
    workloads = read_workloads(model, batch, config.granularity, config.scope)
    energies = [fitting(one) for one in accelerators]
    return reuse_costs(
        model, batch, workloads, config, accelerators, energies, training=True, elements=elements
    )


@pytest.mark.parametrize(
    "changed", [{}, {"scope": "batch"}, {"magnitude": 1}, {"entries": None}, {"granularity": "patch"}]
)
def test_an_image_at_a_time_costs_what_the_whole_batch_does(changed: dict[str, Any]) -> None:
    config = ReuseConfig(**changed)
    accelerators = tuple(
        one.changed(entries=config.entries, ways=config.ways)
        for one in (LIKE, *SYSTOLIC, *(OPTIONS[:3] if config.entries is None else OPTIONS))
    )
    whole = costs(accelerators, config, WHOLE)
    assert costs(accelerators, config, 1) == whole
    assert costs(accelerators, config, 3 * 16 * 16 * 2) == whole


def test_images_of_a_batch_share_their_weights_in_the_dense_side() -> None:
    model, batch = network(), images(5)
    workloads = read_workloads(model, batch)
    accelerators = (LIKE, *SYSTOLIC)
    energies = [fitting(one) for one in accelerators]
    dense = dense_costs(workloads, accelerators, energies, training=True)
    for by_shape, run in zip(dense, costs(accelerators, ReuseConfig.paper(), 1), strict=True):
        assert list(by_shape) == list(run)
        for layer, timings in run.items():
            for timing, cost in timings.items():
                assert cost.baseline == by_shape[layer][timing].baseline


def calls(elements: int) -> tuple[list[Observation], ReuseHandle, nn.Module]:
    model, seen = network(), []
    handle = reuse_(model, ReuseConfig.paper())
    with torch.no_grad(), image_by_image(model, handle, seen.append, signatures=True, elements=elements):
        model(images(5))
    return seen, handle, model


def test_a_layer_is_told_of_once_with_the_batchs_own_hitmap() -> None:
    (parts, _, _), (whole, _, _) = calls(1), calls(WHOLE)
    assert [one.layer for one in parts] == ["0", "3", "4", "6", "9", "10"]
    for part, one in zip(parts, whole, strict=True):
        assert part.shape == one.shape
        assert part.hitmap is not None and one.hitmap is not None
        assert torch.equal(part.hitmap.states, one.hitmap.states)
        assert torch.equal(part.hitmap.representatives, one.hitmap.representatives)
        assert part.signatures is not None and one.signatures is not None
        assert torch.equal(part.signatures, one.signatures)


def test_one_vector_an_image_is_compared_with_the_others_of_its_minibatch() -> None:
    head = calls(1)[0][4]
    assert (head.shape.scopes, head.shape.vectors) == (1, 5)
    assert head.hitmap is not None
    assert head.hitmap.states[0].tolist()[-1] == 0  # the last image is the first one again
    assert head.hitmap.representatives[0].tolist()[-1] == 0


def test_no_layer_computes_more_than_an_image(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    convolve = AlikeMethod.convolve

    def watched(method: AlikeMethod, call: ConvolutionCall) -> Tensor:
        seen.append(len(call.images))
        return convolve(method, call)

    monkeypatch.setattr(AlikeMethod, "convolve", watched)
    calls(1)
    assert seen == [1] * 15


def test_afterwards_the_network_is_as_before() -> None:
    seen, handle, model = calls(1)
    count = len(seen)
    model(images(2))
    assert len(seen) == count
    assert all("forward" not in module.__dict__ for module in model.modules())
    assert all(not state.observers for state in handle.layers.values())


def test_layers_that_are_off_have_no_hitmap_to_join() -> None:
    model, seen = network(), []
    handle = reuse_(model, ReuseConfig.paper())
    handle.switch_off()
    with torch.no_grad(), image_by_image(model, handle, seen.append, signatures=False, elements=1):
        model(images(3))
    assert [one.hitmap for one in seen] == [None] * 6
    assert [one.shape.images for one in seen] == [3, 3, 3, 3, 1, 1]


def test_joining_one_call_changes_nothing() -> None:
    one = calls(1)[0][0]
    assert joined([one]) is one
