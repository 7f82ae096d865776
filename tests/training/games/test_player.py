import numpy as np
import pytest
import torch
from torch import nn

from mercuric import Alike
from mercuric.training.games.config import PlayerConfig
from mercuric.training.games.player import Player, as_input, exploration
from mercuric.training.games.replay import Transitions

NARROW = PlayerConfig(width=0.125, target_every=3)


def player(config: PlayerConfig = NARROW, actions: int = 3) -> Player:
    torch.manual_seed(0)
    return Player(actions, config)


def transitions(count: int, seed: int = 0) -> Transitions:
    generator = torch.Generator().manual_seed(seed)
    states, following = torch.randint(0, 256, (2, count, 4, 84, 84), generator=generator, dtype=torch.uint8)
    actions = torch.randint(3, (count,), generator=generator)
    discounts = torch.tensor([0.9, 0.0]).repeat(count)[:count]
    return Transitions(states, actions, torch.randn(count, generator=generator), following, discounts)


@pytest.mark.parametrize("double", [True, False])
def test_the_loss_is_hubers_of_the_textbooks_target(double: bool) -> None:
    learner, batch = player(NARROW.changed(double=double)), transitions(6)
    with torch.no_grad():  # else all networks agree, and double learning is plain
        for weight in learner.target.parameters():
            weight.add_(0.05 * torch.randn_like(weight))
    losses = []
    with torch.no_grad():
        for place in range(6):
            state, following = (s[place : place + 1].float() / 255 for s in (batch.states, batch.next_states))
            own, others = learner.network(following)[0], learner.target(following)[0]
            best = others[own.argmax()] if double else others.max()
            wanted = batch.returns[place] + batch.discounts[place] * best
            error = (learner.network(state)[0, batch.actions[place]] - wanted).abs().item()
            losses.append(0.5 * error**2 if error < 1 else error - 0.5)
    assert learner.learn(batch) == pytest.approx(np.mean(losses), rel=1e-4)


def test_the_target_network_stays_for_so_many_steps() -> None:
    learner, batch = player(), transitions(4)
    before = learner.target[0][0].weight.clone()
    for step in range(1, 4):
        learner.learn(batch)
        taken_over = torch.equal(learner.target[0][0].weight, learner.network[0][0].weight)
        assert taken_over == (step == 3)
    assert not torch.equal(before, learner.target[0][0].weight)
    assert all(weight.grad is None for weight in learner.target.parameters())


def test_it_learns_values_that_do_not_change() -> None:
    learner, batch = player(NARROW.changed(learning_rate=1e-3)), transitions(8)
    certain = Transitions(
        batch.states, batch.actions, batch.returns, batch.next_states, torch.zeros_like(batch.discounts)
    )
    first = learner.learn(certain)
    for _ in range(60):
        last = learner.learn(certain)
    assert last < 0.2 * first


def test_it_takes_the_best_action_unless_it_is_careless() -> None:
    learner = player(actions=5)
    head = learner.network[-1][-1]
    assert isinstance(head, nn.Linear)
    nn.init.zeros_(head.weight)
    head.bias.data = torch.tensor([0.0, 1.0, 3.0, 2.0, -1.0])
    state, generator = np.zeros((4, 84, 84), np.uint8), np.random.default_rng(0)
    assert {learner.act(state, 0.0, generator) for _ in range(20)} == {2}
    assert {learner.act(state, 1.0, generator) for _ in range(60)} == {0, 1, 2, 3, 4}


def test_batches_reuse_and_a_state_alone_does_not() -> None:
    learner, batch = player(), transitions(6)
    state = batch.states[0].numpy()
    dense = [learner.act(state, 0.0, np.random.default_rng(seed)) for seed in range(3)]
    handle = learner.reuse(Alike(bits=6, adaptation=None))
    seen: list[str] = []
    handle.observe(lambda told: seen.append(told.layer))
    assert [learner.act(state, 0.0, np.random.default_rng(seed)) for seed in range(3)] == dense
    assert not seen
    learner.learn(batch)
    assert {"features.0", "features.2", "features.4"} <= set(seen)
    with torch.no_grad():
        learner.network[-1][-1].bias.copy_(torch.tensor([0.0, 0.0, 99.0]))
    assert learner.act(state, 0.0, np.random.default_rng(0)) == 2, "both have the same weights"


def test_inputs_are_shares_of_white() -> None:
    states = torch.tensor([0, 51, 255], dtype=torch.uint8).view(1, 3, 1, 1)
    assert as_input(states).flatten().tolist() == pytest.approx([0, 0.2, 1])


def test_exploration_falls_evenly_once_learning_begins() -> None:
    config = PlayerConfig(learn_from=100, explored=200, exploration=0.1)
    shares = [exploration(config, turn) for turn in (0, 100, 200, 300, 10_000)]
    assert shares == pytest.approx([1, 1, 0.55, 0.1, 0.1])


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"network": "vgg16"}, "network was 'vgg16', but must be one of dqn, impala"),
        ({"learn_from": 6}, "learn_from was 6, but must be at least 7 turns"),
        ({"replay": 100}, "replay was 100, but must hold the 2000 turns before the first step"),
        ({"discount": 0}, "discount was 0, but must be greater than 0"),
        ({"careless": 1.5}, "careless was 1.5, but must be less than or equal to 1"),
    ],
)
def test_impossible_settings_of_a_player_are_refused(fields: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        PlayerConfig(**fields)
