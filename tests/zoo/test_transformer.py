import math

import pytest
import torch
from torch import Tensor, nn

from mercuric.zoo.transformer import Transformer, build_transformer, positions

SOURCE = torch.tensor([[4, 5, 6, 7, 8], [9, 4, 4, 0, 0]])
TARGET = torch.tensor([[1, 10, 11, 12], [1, 11, 0, 0]])


@pytest.fixture
def network() -> Transformer:
    torch.manual_seed(0)
    return build_transformer(30, width=0.25, layers=2).eval()


def test_logits_have_a_score_for_every_subword(network: Transformer) -> None:
    assert network(SOURCE, TARGET).shape == (2, 4, 30)
    assert network(SOURCE[:, :1], TARGET[:, :1]).shape == (2, 1, 30)


def test_a_logit_depends_on_no_later_target(network: Transformer) -> None:
    changed = TARGET.clone()
    changed[0, 2] = 20
    before, after = network(SOURCE, TARGET)[0], network(SOURCE, changed)[0]
    assert torch.allclose(before[:2], after[:2], atol=1e-5)
    assert not torch.allclose(before[2], after[2], atol=1e-2)
    assert not torch.allclose(before[3], after[3], atol=1e-3)


def test_padding_changes_nothing(network: Transformer) -> None:
    alone = network(SOURCE[1:, :3], TARGET[1:, :2])
    assert torch.allclose(network(SOURCE, TARGET)[1:, :2], alone, atol=1e-5)


def test_the_source_and_its_order_matter(network: Transformer) -> None:
    logits = network(SOURCE[:1], TARGET[:1])
    assert not torch.allclose(network(SOURCE[:1].flip(1), TARGET[:1]), logits, atol=1e-3)
    assert not torch.allclose(network(SOURCE[:1] + 1, TARGET[:1]), logits, atol=1e-2)


def test_source_target_and_output_share_one_embedding(network: Transformer) -> None:
    assert [name for name, p in network.named_parameters() if 30 in p.shape] == ["embedding.weight"]
    states = torch.randn(3, 32)
    assert torch.allclose(network.logits(states), states @ network.embedding.weight.T, atol=1e-5)


def test_encode_and_decode_are_the_halves_of_forward(network: Transformer) -> None:
    states = network.decode(network.encode(SOURCE), TARGET, SOURCE == 0)
    assert torch.equal(network.logits(states), network(SOURCE, TARGET))


class CountedLinear(nn.Linear):
    calls = 0

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - the name that nn.Linear gives it
        CountedLinear.calls += 1
        return super().forward(input)


@pytest.mark.parametrize("training", [True, False])
def test_a_layer_put_in_another_s_place_is_called_in_evaluation_too(
    training: bool, network: Transformer, monkeypatch: pytest.MonkeyPatch
) -> None:
    linear = [name for name, module in network.named_modules() if type(module) is nn.Linear]
    assert len(linear) == 8
    for name in linear:
        old = network.get_submodule(name)
        network.set_submodule(name, CountedLinear(old.in_features, old.out_features))
    monkeypatch.setattr(CountedLinear, "calls", 0)
    network.train(training)
    with torch.no_grad():
        network(SOURCE, TARGET)
    assert CountedLinear.calls == 8


def test_every_parameter_gets_a_gradient(network: Transformer) -> None:
    network(SOURCE, TARGET).logsumexp(-1).sum().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_positions_are_sines_and_cosines() -> None:
    table = positions(50, torch.empty(1, 8, dtype=torch.float64))
    for position in (0, 1, 49):
        for pair in range(4):
            angle = position / 10_000 ** (pair / 4)
            assert table[position, pair] == pytest.approx(math.sin(angle), abs=1e-4)
            assert table[position, 4 + pair] == pytest.approx(math.cos(angle), abs=1e-4)


@pytest.mark.parametrize(
    ("width", "heads", "features"), [(1, 4, 128), (0.5, 4, 64), (2, 8, 256), (0.01, 3, 6)]
)
def test_width_scales_the_features(width: float, heads: int, features: int) -> None:
    network = build_transformer(10, width, layers=1, heads=heads).eval()
    assert network.embedding.embedding_dim == features
    assert network.encoder[0].linear1.out_features == 4 * features
    assert network(SOURCE % 10, TARGET % 10).shape == (2, 4, 10)


@pytest.mark.parametrize(
    ("setting", "value", "must"),
    [
        ("vocabulary_size", 0, "at least 1"),
        ("layers", 0, "at least 1"),
        ("heads", -1, "at least 1"),
        ("width", 0.0, "a positive number"),
        ("width", math.nan, "a positive number"),
        ("dropout", 1.0, "from 0 to below 1"),
        ("padding", 9, "an id from 0 to 8"),
    ],
)
def test_an_impossible_network_is_refused(setting: str, value: float, must: str) -> None:
    settings: dict[str, float] = {"vocabulary_size": 9, setting: value}
    with pytest.raises(ValueError, match=f"^{setting} was {value}, but it must be {must}"):
        build_transformer(**settings)  # type: ignore[arg-type]
