"""Do layers of a network compute in principal directions, and only where that is faster?"""

import copy
from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

import mercuric
from mercuric import Alike, Directions, ReuseConfig, data, zoo
from mercuric.reuse.directions.cost import multiplications
from mercuric.reuse.directions.weights import projected
from mercuric.reuse.judge.fastest import KeepFaster
from mercuric.reuse.judge.judge import Cost


def projecting(**fields):
    fields = {"rank": 4, "multiple": 1, **fields}
    return Directions(**fields)


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3, stride=2, padding="valid"), nn.ReLU(),
        nn.Conv2d(16, 16, 3, groups=16), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10),
    )  # fmt: skip


def wide_network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3, stride=2), nn.ReLU(),
        nn.Conv2d(64, 16, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10),
    )  # fmt: skip


@pytest.fixture(scope="module")
def images():
    photos = data.load("photos")
    return photos.train.batch(torch.arange(0, 64, 4))[0]


def trained(model, images, steps=1, optimizer=torch.optim.SGD, rate=0.0):
    """Training steps; with a rate of 0 they change nothing but what directions take out."""
    optimizer = optimizer(model.parameters(), rate)
    for _ in range(steps):
        optimizer.zero_grad()
        model(images).square().mean().backward()
        optimizer.step()
    return model


def test_passes_are_dense_until_the_first_step_and_then_in_few_directions(images):
    model, dense = network(), network()
    handle = mercuric.reuse_(model, projecting())
    expected = dense(images)
    for _ in range(2):
        torch.testing.assert_close(model(images), expected, rtol=0, atol=0)
    assert handle.report()["computes"].tolist() == ["dense: until the next optimizer step"] * 3
    trained(model, images)
    projected = model(images)
    assert not torch.allclose(projected, expected)
    assert (projected - expected).norm() < 0.5 * expected.norm()
    report = handle.report().set_index("layer")
    assert report["computes"].tolist() == ["directions"] * 3
    assert list(report["rank"]) == [4, 4, 4]
    assert 0 < report["error"]["0"] < 0.5
    for place in (0, 2, 7):
        assert torch.linalg.matrix_rank(model[place].weight.flatten(1), rtol=1e-5) == 4
    mercuric.restore_(model)
    torch.testing.assert_close(model(images), projected)


def test_depthwise_layers_and_attention_stay_as_they_are():
    model = nn.ModuleList([network(), nn.MultiheadAttention(16, 2)])
    handle = mercuric.reuse_(model, projecting())
    assert list(handle.layers) == ["0.0", "0.2", "0.7"]


def test_directions_are_estimated_anew_every_refresh_passes(images):
    model = network()
    handle = mercuric.reuse_(model, projecting(refresh=3))
    part = handle.layers["0"].principal
    bases = []
    for _ in range(8):
        trained(model, images, rate=0.05)
        with torch.no_grad():
            before = model.eval()(images)
            with handle.off():
                torch.testing.assert_close(model(images), before, rtol=1e-4, atol=1e-5)
        model.train()
        bases.append(part.directions.basis)
    same = [before is after for before, after in pairwise(bases)]
    assert same == [True, True, False, True, True, False, True]


@pytest.mark.parametrize("quietly", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_evaluation_is_dense_and_estimates_nothing(images, quietly):
    model, dense = network().eval(), network().eval()
    handle = mercuric.reuse_(model, projecting(refresh=2))
    with quietly():
        for _ in range(3):
            assert torch.equal(model(images), dense(images))
    assert not handle.report()["rank"].any()
    trained(model.train(), images, 3)
    assert handle.report()["computes"].eq("directions").all()


def test_uncounted_passes_leave_directions_alone(images):
    model = network()
    handle = mercuric.reuse_(model, projecting())
    with handle.uncounted():
        model(images)
    assert handle.layers["0"].principal.directions is None


def test_training_follows_the_gradient_of_what_was_computed(images):
    model = network().double()
    mercuric.reuse_(model, projecting())
    images = images.double()
    first = trained(model, images)[0].weight
    model.zero_grad()
    model(images).square().mean().backward()
    step = 1e-5
    direction = projected(torch.randn_like(first), model[0].reuse.principal.directions.basis)
    with torch.no_grad():
        first.add_(direction, alpha=step)
        above = model(images).square().mean()
        first.add_(direction, alpha=-2 * step)
        below = model(images).square().mean()
    torch.testing.assert_close(
        (above - below) / (2 * step), (first.grad * direction).sum(), rtol=1e-3, atol=1e-8
    )


def test_checkpointing_computes_the_same_pass_again(images):
    losses = []
    for checkpointed in (None, False, True):
        model = network()
        mercuric.reuse_(model, projecting(refresh=2))
        optimizer = torch.optim.SGD(model.parameters(), 0.01)
        for _ in range(6):
            given = images.clone().requires_grad_()
            optimizer.zero_grad()
            again = checkpointed is not None
            output = checkpoint(model, given, use_reentrant=checkpointed) if again else model(given)
            output.square().mean().backward()
            optimizer.step()
        losses.append([parameter.grad.clone() for parameter in model.parameters()])
    for plain, again, reentrant in zip(*losses, strict=True):
        torch.testing.assert_close(plain, again)
        torch.testing.assert_close(plain, reentrant)


@pytest.mark.parametrize("padding_mode", ["zeros", "reflect", "circular"])
@pytest.mark.parametrize("padding", [1, (0, 2), "same"])
def test_every_padding(images, padding_mode, padding):
    torch.manual_seed(0)
    dense = nn.Conv2d(3, 16, 4 if padding == "same" else 3, padding=padding, padding_mode=padding_mode)
    model = nn.Sequential(dense)
    expected = dense(images)
    handle = mercuric.reuse_(model, projecting(rank=10))
    mercuric.fit_directions_(model, handle, [images])
    found = model(images)
    torch.testing.assert_close(found, dense(images))
    with torch.no_grad():
        torch.testing.assert_close(model(images), found)
    assert found.shape == expected.shape
    assert (found - expected).norm() < 0.2 * expected.norm()
    assert handle.report()["rank"].tolist() == [10]


def test_a_single_image_and_channels_last_keep_their_form(images):
    model = network().to(memory_format=torch.channels_last)
    last = images.to(memory_format=torch.channels_last)
    mercuric.fit_directions_(model, mercuric.reuse_(model, projecting()), [last])
    assert model[:2](last).is_contiguous(memory_format=torch.channels_last)
    assert model[0](images[0]).shape == (16, 32, 32)


def test_a_single_row_keeps_its_form():
    model = nn.Sequential(nn.Linear(32, 16))
    mercuric.reuse_(model, projecting(rank=2))
    rows = torch.randn(64, 32)
    assert model(rows[0]).shape == (16,)
    trained(model, rows)
    torch.testing.assert_close(model(rows[0]), model(rows)[0])


def test_autocast(images):
    model = network()
    mercuric.reuse_(model, projecting())
    with torch.autocast("cpu", torch.bfloat16):
        trained(model, images)
        output = model[:1](images)
        output.float().sum().backward()
    assert output.dtype == torch.bfloat16
    assert model[0].weight.grad.dtype == torch.float32


def test_copies_learn_for_themselves(images):
    model = network()
    mercuric.reuse_(model, projecting())
    other = copy.deepcopy(model)
    trained(other, images)
    assert not model[0].reuse.principal.ready
    assert other[0].reuse.principal.directions is not None


def test_bad_input_is_named():
    model = network()
    mercuric.reuse_(model, projecting())
    for layer, wrong in (("0", (2, 4, 8, 8)), ("2", (2, 3, 2, 2))):
        with pytest.raises(ValueError, match=f"input of layer '{layer}' was"):
            model(torch.zeros(wrong))


def test_adaptation_has_no_say_over_directions_and_milliseconds():
    with pytest.raises(ValueError, match="adaptation was given"):
        Alike(keep="faster")
    with pytest.raises(ValueError, match="adaptation was given to Directions"):
        Directions(adaptation=mercuric.AdaptationConfig())


def test_fast_keeps_what_was_faster_and_says_so(images):
    model = wide_network()
    handle = mercuric.reuse_(model, ReuseConfig.fast(error=None))
    for _ in range(4):
        loss = model(images).square().mean()
        loss.backward()
        handle.step(loss.detach())
    report = handle.report().set_index("layer")
    timed = report[report["dense_ms"].notna()]
    assert list(timed.index) == ["0", "2"]
    assert (timed["on"] == (timed["reuse_ms"] < 0.95 * timed["dense_ms"])).all()
    saved = handle.state_dict()
    other = mercuric.reuse_(wide_network(), ReuseConfig.fast(error=None))
    other.load_state_dict(saved)
    assert list(other.report()["on"]) == list(report["on"])
    assert other.changes == handle.changes


def test_the_faster_form_is_kept_until_the_other_is_faster():
    judge = KeepFaster(["a", "b"])
    assert judge.step(0.1, {"a": Cost(2, 1), "b": None})[0].what == "off"
    assert judge.step(0.1, {"a": Cost(3, 1), "b": Cost(1, 2)}) == []
    (change,) = judge.step(0.1, {"a": Cost(1, 2), "b": None})
    assert (change.step, change.layer, change.what) == (3, "a", "on")
    other = KeepFaster(["a", "b"])
    other.load_state_dict(judge.state_dict())
    assert other.state_dict() == judge.state_dict()
    with pytest.raises(ValueError, match="layers"):
        KeepFaster(["a"]).load_state_dict(judge.state_dict())


def test_a_layer_turns_on_where_clearly_faster_and_stays_on_until_slower():
    judge = KeepFaster(["a", "b"])
    took = [(0.97, 0.8), (0.94, 0.98), (0.99, 1.01), (1.01, 0.99), (0.97, 0.94)]
    turned = []
    for a, b in took:
        changes = judge.step(0.1, {"a": Cost(a, 1), "b": Cost(b, 1)})
        turned.append({change.layer: change.what for change in changes})
        again = KeepFaster(["a", "b"])
        again.load_state_dict(judge.state_dict())
        judge = again
    assert turned == [{"a": "off"}, {"a": "on"}, {"b": "off"}, {"a": "off"}, {"b": "on"}]


def test_multiplications_are_counted():
    thin, dense = multiplications(100, 64, 576, 16)
    assert dense == 3 * 100 * 64 * 576
    assert thin == 100 * (3 * 16 * 576 + 2 * 16 * 64) + 2 * 16 * 64 * 576


def test_a_network_that_never_trained_gets_its_weights_back(images):
    model = network().eval()
    before = copy.deepcopy(model.state_dict())
    mercuric.reuse_(model, projecting())
    with torch.no_grad():
        model(images)
        model(images)
    mercuric.restore_(model)
    torch.testing.assert_close(model.state_dict(), before, rtol=0, atol=0)


def test_a_network_of_the_zoo_trains(images):
    torch.manual_seed(0)
    model = zoo.build("resnet18", 7, 3, 32, 0.25)
    handle = mercuric.reuse_(model, projecting(rank=0.25))
    optimizer = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
    labels = torch.arange(len(images)) % 7
    losses = []
    for _ in range(15):
        loss = nn.functional.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        handle.step(loss.detach())
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]
