"""Does a kind of layers need a class and one line of the table, and nothing else?"""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import mercuric
from mercuric.reuse.config import ReuseConfig
from mercuric.reuse.kinds.kind import LayerKind
from mercuric.reuse.kinds.linear import reuse_linear
from mercuric.reuse.layer import LayerReuse
from mercuric.reuse.layer_kinds import KINDS
from mercuric.reuse.method import method_of
from mercuric.reuse.observation import Kind
from mercuric.reuse.products import LayerProduct
from mercuric.reuse.reuse_layer import ReuseLayer
from mercuric.reuse.vectors import Granularity, Scope, VectorShape, row_vectors


class Turned(nn.Module):
    """Columns (features, N) times a weight (filters, features)."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(7, 5))
        self.bias = None

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        return F.linear(input.T, self.weight).T


class TurnedKind(LayerKind):
    plain = Turned
    product: Kind = "linear"

    def states(self, module: Any, name: str, config: ReuseConfig) -> list[LayerReuse]:
        return [method_of(config).layer(name, config, LayerProduct("linear", len(module.weight)))]

    def vectors(self, module: Any, given: Tensor, granularity: Granularity, scope: Scope) -> VectorShape:  # noqa: ARG002
        return row_vectors(tuple(given.T.shape), len(module.weight), scope)

    def macs(self, layer: Any, args: Any, kwargs: Any, output: Any) -> dict[str, int]:  # noqa: ARG002
        return {layer._mercuric.name: args[0].numel() * len(layer.weight)}


class ReuseTurned(ReuseLayer, Turned):
    _mercuric_plain = Turned

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        return reuse_linear(input.T, self.weight, self.bias, self._mercuric, self.training).T


TURNED = ReuseTurned._mercuric_kind = TurnedKind()
TURNED.layer = ReuseTurned


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> nn.Module:
    monkeypatch.setitem(KINDS, Turned, TURNED)
    return nn.Sequential(Turned())


def test_a_new_kind_reuses_and_is_given_back(model: nn.Module) -> None:
    x = torch.randn(5, 3).repeat(1, 2)
    dense = model(x)
    handle = mercuric.reuse_(model, mercuric.Alike(bits=40, entries=None))
    torch.testing.assert_close(model(x), dense)
    assert handle.layers["0"].counts.hit == 3
    mercuric.restore_(model)
    assert type(model[0]) is Turned


def test_a_new_kind_is_simulated(model: nn.Module) -> None:
    x = torch.randn(5, 3).repeat(1, 2)
    table = mercuric.simulate(model, x, "eyeriss-168").layers
    assert set(table["layer"]) == {"0"}
    assert set(table["kind"]) == {"linear"}


def test_a_new_kind_computes_in_directions(model: nn.Module) -> None:
    handle = mercuric.reuse_(model, mercuric.Directions(rank=1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for _ in range(3):
        loss = model(torch.randn(5, 64)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        handle.step(loss)
    assert torch.linalg.matrix_rank(model[0].weight.detach(), tol=1e-5) == 1
