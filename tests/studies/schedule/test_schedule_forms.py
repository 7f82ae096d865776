"""Does a network train in every form, and is one that a form can't take named?"""

from dataclasses import replace

import pytest
import torch
from schedule_subjects import FASTER, begun, ground_of
from torch import nn

from mercuric.data import ImageData
from mercuric.studies.schedule.forms import FORMS
from mercuric.studies.schedule.forms.form import Unfit

LEARN = [name for name in FORMS if name != "resizing"]


@pytest.mark.parametrize("name", LEARN)
def test_a_network_learns_in_each_form(few_photos: ImageData, name: str) -> None:
    ground = ground_of(few_photos)
    stages = FORMS[name].stages(ground) if name != "exact" else ()
    shares = [stage.share for stage in stages]
    assert None in shares or not shares or abs(sum(shares) - 1) < 1e-12
    trainee = begun(name, ground)
    losses = []
    for stage in range(max(1, len(stages))):
        if stage:
            trainee.enter(stage)
        losses += [trainee.step(torch.arange(8), 0.02) for _ in range(6)]
    assert all(torch.isfinite(torch.tensor(losses))) and losses[-1] < losses[0]
    accuracy = trainee.accuracy(few_photos.test, torch.arange(14))
    assert accuracy is not None and 0 <= accuracy <= 1


def test_directions_hold_the_weights(few_photos: ImageData) -> None:
    """Principal and random ones stay; trained ones are two layers, which both move."""
    ground = ground_of(few_photos)
    for name in ("principal", "random"):
        trainee = begun(name, ground)
        for _ in range(4):
            trainee.step(torch.arange(8), 0.02)
        for layer in FASTER:
            rows = trainee.learner.network.get_submodule(layer).weight.flatten(1)
            rank = 16 if layer == "features.3" else 32
            values = torch.linalg.svdvals(rows)
            assert values[rank] < 1e-5 * values[0] < values[rank - 1], (name, layer)
    trained = begun("trained", ground)
    assert trained.learner.facts() == {"ranks": {"features.3": 16, "features.6": 32}}
    pair = trained.learner.network.get_submodule("features.3")
    assert isinstance(pair, nn.Sequential)
    before = [one.detach().clone() for one in pair.parameters()]
    trained.step(torch.arange(8), 0.02)
    assert all(not torch.equal(one, other) for one, other in zip(before, pair.parameters(), strict=True))


def test_random_directions_differ_by_seed_and_keep_the_outputs_size(few_photos: ImageData) -> None:
    ground = ground_of(few_photos)
    dense = begun("dense", ground).learner.network.get_submodule("features.6").weight
    one, other = (begun("random", ground, seed=seed) for seed in (0, 1))
    weights = [each.learner.network.get_submodule("features.6").weight for each in (one, other)]
    assert not torch.allclose(weights[0], weights[1])
    torch.testing.assert_close(weights[0].norm(), dense.norm(), rtol=0.15, atol=0)


def test_a_factorised_network_keeps_the_momentum_of_what_stays(few_photos: ImageData) -> None:
    trainee = begun("pufferfish", ground_of(few_photos))
    trainee.step(torch.arange(8), 0.02)
    first = trainee.learner.network.get_submodule("features.0").weight
    kept = trainee._optimizer.state[first]["momentum_buffer"]
    trainee.enter(1)
    assert trainee.learner.facts() == {"ranks": {"classifier.1": 64}}
    assert trainee._optimizer.state[first]["momentum_buffer"] is kept
    held = {id(one) for group in trainee._optimizer.param_groups for one in group["params"]}
    assert held == {id(one) for one in trainee.learner.network.parameters()}


def test_cuttlefish_waits_until_ranks_have_settled(few_photos: ImageData) -> None:
    trainee = begun("cuttlefish", ground_of(few_photos))
    learner, layers = trainee.learner, ("features.3", "features.6")
    assert not learner.due(0.04), "looks are a twentieth of a schedule apart"
    moving = learner.network.get_submodule("features.6").weight
    with torch.no_grad():
        moving[0] *= 30
    assert not learner.due(0.05) and not learner.due(0.1), "one change was large"
    assert learner.due(0.16) and learner.facts()["switched"] == 0.16
    trainee.enter(1)
    assert learner.facts()["ranks"].keys() == {"features.6"}, (
        "fresh weights have their full rank, which saves none"
    )
    late = begun("cuttlefish", ground_of(few_photos)).learner
    assert not late.due(0.05) and late.due(0.5) and set(layers) == FASTER.keys()


@pytest.mark.parametrize(
    ("name", "network", "faster", "sentence"),
    [
        ("principal", "custom-cnn", {}, "no layer of custom-cnn is clearly faster in 0.25 of its directions"),
        ("random", "custom-cnn", {"features.3": 1.02}, "no layer of custom-cnn is clearly faster"),
        ("cuttlefish", "custom-cnn", {"features.3": 1.4}, "no layer of custom-cnn is 1.5 times faster"),
        (
            "resizing",
            "custom-cnn",
            {},
            "custom-cnn reads images of at least 16 pixels a side, and these have 16",
        ),
        ("factorize", "squeezenet-1.0", {}, "no layer of squeezenet-1.0 has 256 channels in and out"),
        ("exact", "custom-cnn", {}, "no vectors of photos are equal"),
    ],
)
def test_what_a_form_can_not_take_is_named(
    few_photos: ImageData, name: str, network: str, faster: dict[str, float], sentence: str
) -> None:
    with pytest.raises(Unfit, match=sentence):
        FORMS[name].stages(ground_of(few_photos, network, faster))


def test_a_width_that_there_is_not_is_named(few_photos: ImageData) -> None:
    with pytest.raises(Unfit, match=r"custom-cnn can't be 0\.3 times as wide: width was 0\.3"):
        FORMS["narrow"].stages(replace(ground_of(few_photos), width=0.3))
