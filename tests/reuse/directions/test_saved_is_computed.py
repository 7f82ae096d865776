"""Is a layer's weight at all times what the layer computes, whatever trains, copies or replaces it?"""

import copy
import gc
import io
import pickle
from functools import cache

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils import parametrizations, prune, weight_norm
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.optim.optimizer import _global_optimizer_post_hooks, _global_optimizer_pre_hooks
from torch.optim.swa_utils import AveragedModel
from torch.utils.checkpoint import checkpoint

import mercuric
from mercuric import Directions, ReuseConfig, ReuseHandle, data
from mercuric.reuse.directions.weights import outside

ALWAYS = Directions(rank=6, multiple=1)
OPTIMIZERS = {
    "SGD": lambda p: torch.optim.SGD(p, 0.05),
    "momentum": lambda p: torch.optim.SGD(p, 0.02, momentum=0.9, weight_decay=1e-2),
    "AdamW": lambda p: torch.optim.AdamW(p, 3e-3, weight_decay=0.1),
    "RMSprop": lambda p: torch.optim.RMSprop(p, 1e-3),
}
CHANGES = ["none", "frozen", "old weight_norm", "pruned", "parametrized", "tied"]


def network(width: int = 24) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, stride=2), nn.ReLU(),
        nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Linear(9 * width, 32), nn.ReLU(), nn.Linear(32, 7),
    )  # fmt: skip


@pytest.fixture(scope="module")
def images() -> Tensor:
    return photos()


@cache
def photos() -> Tensor:
    return data.load("photos").train.batch(torch.arange(0, 24))[0]


def train(
    model: nn.Module, images: Tensor, optimizer: torch.optim.Optimizer, steps: int = 3,
    handle: ReuseHandle | None = None, checkpointed: bool | None = None,
) -> None:  # fmt: skip
    model.train()
    for _ in range(steps):
        optimizer.zero_grad()
        given = images.clone().requires_grad_()
        again = checkpointed is not None
        output = checkpoint(model, given, use_reentrant=checkpointed) if again else model(given)
        loss = F.cross_entropy(output, torch.arange(len(images)) % 7)
        loss.backward()
        optimizer.step()
        if handle is not None:
            handle.step(loss.detach())


def evaluated(model: nn.Module, images: Tensor) -> Tensor:
    model.eval()
    with torch.no_grad():
        return model(images)


def same(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def changed(model: nn.Sequential, how: str) -> nn.Sequential:
    if how == "frozen":
        model[:3].requires_grad_(False)
    elif how == "old weight_norm":
        weight_norm(model[2])
    elif how == "pruned":
        prune.l1_unstructured(model[2], "weight", 0.5)
    elif how == "parametrized":
        parametrizations.weight_norm(model[2])
    elif how == "tied":
        model.other = nn.Linear(9 * 24, 32)
        model.other.weight = model[6].weight
        model.other.forward = lambda x: x  # type: ignore[method-assign]
        model[7] = nn.Sequential(model[7])
    return model


@settings(max_examples=15, deadline=None)
@given(
    optimizer=st.sampled_from(sorted(OPTIMIZERS)),
    how=st.sampled_from(CHANGES),
    checkpointed=st.sampled_from([None, False, True]),
    steps=st.integers(1, 4),
    refresh=st.sampled_from([None, 2]),
)
def test_what_is_saved_copied_or_restored_is_what_was_computed(
    optimizer: str, how: str, checkpointed: bool | None, steps: int, refresh: int | None
) -> None:
    images, model = photos(), changed(network(), how)
    evaluated(model, images)
    before = copy.deepcopy(model)
    left_out = (lambda module, _: module is not model.other) if how == "tied" else None
    handle = mercuric.reuse_(model, ALWAYS.model_copy(update={"refresh": refresh}), left_out)
    averaged = AveragedModel(model, avg_fn=lambda mean, new, _: 0.5 * mean + 0.5 * new)
    taught = OPTIMIZERS[optimizer]([p for p in model.parameters() if p.requires_grad])
    for _ in range(steps):
        train(model, images, taught, 1, handle, checkpointed)
        averaged.update_parameters(model)
        saved = copy.deepcopy(model.state_dict())
        expected = evaluated(model, images)
        plain = copy.deepcopy(before)
        plain.load_state_dict(saved)
        same(evaluated(plain, images), expected)
    copies = [copy.deepcopy(model)]
    if how in ("none", "frozen", "pruned"):
        copies.append(pickle.loads(pickle.dumps(model)))  # noqa: S301
    for made in copies:
        same(evaluated(made, images), expected)
        mercuric.restore_(made)
        same(evaluated(made, images), expected)
    mean = evaluated(averaged, images)
    mercuric.restore_(averaged)
    same(evaluated(averaged, images), mean)
    assert handle.report()["computes"].eq("directions").sum() >= (1 if how == "frozen" else 2)
    mercuric.restore_(model)
    same(evaluated(model, images), expected)
    assert all(torch.equal(model.state_dict()[name], value) for name, value in saved.items())
    if how == "frozen":
        assert torch.equal(model[0].weight, before[0].weight) and torch.equal(
            model[2].weight, before[2].weight
        )


@pytest.mark.parametrize(
    ("how", "place", "reason"),
    [
        ("frozen", 0, "its weight is frozen"),
        ("old weight_norm", 2, "its weight is computed from other tensors"),
        ("pruned", 2, "its weight is computed from other tensors"),
        ("tied", 6, "its weight is shared with another layer"),
    ],
)
def test_a_layer_whose_weight_must_not_change_says_why_it_is_dense(
    images: Tensor, how: str, place: int, reason: str
) -> None:
    model = changed(network(), how)
    left_out = (lambda module, _: module is not model.other) if how == "tied" else None
    handle = mercuric.reuse_(model, ALWAYS, left_out)
    assert handle.layers[str(place)].dense_because == reason
    other = "2" if place == 6 else "6"
    assert handle.layers[other].dense_because is None
    train(model, images, torch.optim.SGD(model.parameters(), 0.05), 2, handle)
    report = handle.report().set_index("layer")["computes"]
    assert report[str(place)] == f"dense: {reason}" and report[other] == "directions"
    model.requires_grad_(True)
    train(model, images, torch.optim.SGD(model.parameters(), 0.05), 2, handle)
    assert (handle.layers[str(place)].dense_because is None) == (how == "frozen")


def test_a_weight_that_is_another_kind_of_tensor_stays(images: Tensor) -> None:
    class Quantized(nn.Parameter):
        pass

    model = network()
    model[2].weight = Quantized(model[2].weight.detach().clone())
    model[2].weight.__class__ = Quantized
    handle = mercuric.reuse_(model, ALWAYS)
    train(model, images, torch.optim.SGD(model.parameters(), 0.05), 2, handle)
    assert handle.layers["2"].dense_because == "its weight is a Quantized"


def test_a_loaded_weight_is_what_is_computed(images: Tensor) -> None:
    model = network()
    handle = mercuric.reuse_(model, ALWAYS)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    train(model, images, optimizer, 3, handle)
    kept, expected = mercuric.plain_state_dict(model), evaluated(model, images)
    torch.manual_seed(1)
    other = nn.Sequential(*[copy.deepcopy(module) for module in network()])
    for parameter in other.parameters():
        nn.init.normal_(parameter, std=0.1)
    for assign in (False, True):
        model.load_state_dict(other.state_dict(), assign=assign)
        same(evaluated(model, images), evaluated(other, images))
        assert handle.report()["computes"][1] == "dense: its weight lies outside of its directions"
        model.load_state_dict(kept, assign=assign)
        same(evaluated(model, images), expected)
    model.load_state_dict(other.state_dict())
    train(model, images, torch.optim.SGD(model.parameters(), 0.0), 2, handle)
    assert handle.report()["computes"][:3].eq("directions").all(), "new directions, of the loaded weight"
    assert outside(model[2].weight, handle.layers["2"].principal.directions.basis) < 1e-5


def set_past_the_version(weight: Tensor) -> None:
    weight.data.normal_()


def set_in_place(weight: Tensor) -> None:
    with torch.no_grad():
        weight.normal_()


@pytest.mark.parametrize("edit", [set_past_the_version, set_in_place])
def test_an_edited_weight_is_what_is_computed_and_is_not_edited_again(images: Tensor, edit) -> None:
    model = network()
    handle = mercuric.reuse_(model, ALWAYS)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    for edits in range(4):
        train(model, images, optimizer, 2, handle)
        assert (handle.layers["2"].dense_because is None) == (edits < 3)
        edit(model[2].weight)
        before = model[2].weight.detach().clone()
        plain = copy.deepcopy(model)
        mercuric.restore_(plain)
        same(evaluated(model, images), evaluated(plain, images))
        model.train()(images)
        assert torch.equal(model[2].weight, before)


def test_a_swapped_weight_is_what_is_computed(images: Tensor) -> None:
    model = network()
    mercuric.reuse_(model, ALWAYS)
    train(model, images, torch.optim.AdamW(model.parameters(), 1e-3))
    plain = network(24)
    torch.utils.swap_tensors(model[2].weight, plain[2].weight)
    expected = network().eval()
    expected.load_state_dict(model.state_dict())
    torch.testing.assert_close(model.eval()(images), expected(images))
    train(model, images, torch.optim.AdamW(model.parameters(), 1e-3))
    expected.load_state_dict(model.state_dict())
    torch.testing.assert_close(model.eval()(images), expected(images), rtol=1e-4, atol=1e-4)


def test_two_passes_before_one_backward_pass_get_their_gradients(images: Tensor) -> None:
    model, dense = network(), network()
    mercuric.reuse_(model, ALWAYS)
    for one in (model, dense):
        (one(images).square().mean() + one(images.flip(3)).square().mean()).backward()
    for ours, theirs in zip(model.parameters(), dense.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad)


def test_without_measuring_no_weight_changes(images: Tensor) -> None:
    model, dense = network(), network()
    handle = mercuric.reuse_(model, ReuseConfig.fast(rank=6))
    for one in (model, dense):
        train(one, images, torch.optim.SGD(one.parameters(), 0.05), 3)
    for ours, theirs in zip(model.parameters(), dense.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    assert not handle.report()["computes"].eq("directions").any()


def test_readers_of_weights_get_what_is_computed(images: Tensor) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 24, 3, bias=False), nn.BatchNorm2d(24), nn.ReLU())
    handle = mercuric.reuse_(model, ALWAYS)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    model.train()
    for _ in range(3):
        optimizer.zero_grad()
        model(images).square().mean().backward()
        optimizer.step()
    assert handle.report()["rank"].tolist() == [6]
    expected = evaluated(model, images)
    fused = fuse_conv_bn_eval(model[0], model[1])
    same(F.relu(fused(images)), expected)
    same(F.relu(model[1](F.conv2d(images, model[0].weight))), expected)
    found = torch.func.functional_call(model, dict(model.named_parameters()), (images,))
    same(found, expected)


def test_derivatives_by_torch_func_are_those_of_the_plain_network(images: Tensor) -> None:
    model, plain = network(), network()
    handle = mercuric.reuse_(model, ALWAYS)
    train(model, images, torch.optim.SGD(model.parameters(), 0.01), 2, handle)
    plain.load_state_dict(mercuric.plain_state_dict(model))
    given = {name: value.detach() for name, value in model.named_parameters()}
    gradients = [
        torch.func.grad(lambda p, m=one: torch.func.functional_call(m, p, (images,)).square().sum())(given)
        for one in (model, plain)
    ]
    torch.testing.assert_close(*gradients)
    model.requires_grad_(False)
    model(images)
    assert handle.report()["computes"][:3].eq("directions").all(), "directions stay, and serve frozen weights"


def test_inference_mode_leaves_nothing_behind(images: Tensor) -> None:
    model = network()
    handle = mercuric.reuse_(model, ALWAYS)
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    for _ in range(3):
        with torch.inference_mode():
            model.eval()(images)
        train(model, images, optimizer, 1, handle)
    with torch.inference_mode():
        mercuric.fit_directions_(model, handle, [images])
        kept = model.eval()(images).clone()
    same(evaluated(model, images), kept)
    train(model, images, optimizer, 1, handle)


def test_hooks_on_optimizers_go_with_the_last_layer(images: Tensor) -> None:
    first, second = network(), network()
    for model in (first, second):
        handle = mercuric.reuse_(model, ALWAYS)
        train(model, images, torch.optim.SGD(model.parameters(), 0.05), 2, handle)
    assert len(_global_optimizer_post_hooks) == len(_global_optimizer_pre_hooks) == 1
    mercuric.restore_(first)
    assert len(_global_optimizer_post_hooks) == 1
    del second, model, handle
    gc.collect()
    assert not _global_optimizer_post_hooks and not _global_optimizer_pre_hooks


@pytest.mark.parametrize("handle_first", [False, True])
def test_a_resumed_training_goes_on_to_the_bit(images: Tensor, handle_first: bool) -> None:
    def begun() -> tuple[nn.Module, ReuseHandle, torch.optim.Optimizer]:
        model = network()
        return model, mercuric.reuse_(model, ALWAYS), torch.optim.AdamW(model.parameters(), 1e-2)

    whole, watched, optimizer = begun()
    train(whole, images, optimizer, 3, watched)
    file = io.BytesIO()
    torch.save((whole.state_dict(), watched.state_dict(), optimizer.state_dict()), file)
    train(whole, images, optimizer, 3, watched)
    file.seek(0)
    weights, directions, moments = torch.load(file)
    again, handle, other = begun()
    for load in (handle.load_state_dict, again.load_state_dict)[:: 1 if handle_first else -1]:
        load(directions if load == handle.load_state_dict else weights)
    other.load_state_dict(moments)
    train(again, images, other, 3, handle)
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), again.parameters(), strict=True))


def test_a_plain_state_dict_is_a_copy_of_what_restore_leaves(images: Tensor) -> None:
    model = network()
    handle = mercuric.reuse_(model, ALWAYS)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    train(model, images, optimizer, 2, handle)
    found = mercuric.plain_state_dict(model)
    restored = copy.deepcopy(model)
    mercuric.restore_(restored)
    assert found.keys() == restored.state_dict().keys()
    train(model, images, optimizer, 1, handle)
    assert all(torch.equal(found[name], value) for name, value in restored.state_dict().items())
    plain = network()
    plain.load_state_dict(found)
    same(evaluated(plain, images), evaluated(restored, images))


def test_fitted_directions_are_in_the_weights(images: Tensor) -> None:
    model = network().requires_grad_(False)
    handle = mercuric.reuse_(model, ALWAYS)
    dense = evaluated(model, images)
    mercuric.fit_directions_(model, handle, [images[:12], (images[12:],)])
    found = evaluated(model, images)
    assert 0 < (found - dense).norm() < 0.5 * dense.norm()
    assert handle.report()["computes"][:3].eq("directions").all()
    plain = network()
    plain.load_state_dict(mercuric.plain_state_dict(model))
    same(evaluated(plain, images), found)
    with pytest.raises(ValueError, match="batches was empty"):
        mercuric.fit_directions_(model, handle, [])
