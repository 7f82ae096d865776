"""Two thinner layers in place of one, both trained."""

import copy

import pytest
import torch
from torch import Tensor, nn

import mercuric
from mercuric.errors import ArgumentError
from mercuric.reuse.directions.basis import principal_directions


@pytest.fixture
def model() -> nn.Module:
    """A convolution that can't be factorised, and two layers that can."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
        nn.Conv2d(32, 128, 3, stride=2, padding=1, padding_mode="reflect"), nn.ReLU(),
        nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(512, 64), nn.Linear(64, 3),
    )  # fmt: skip


@pytest.fixture
def images() -> Tensor:
    """A batch."""
    return torch.rand(24, 3, 12, 10, generator=torch.Generator().manual_seed(1))


def test_layers_compute_in_the_principal_directions_of_the_batch(model: nn.Module, images: Tensor) -> None:
    before = copy.deepcopy(model)
    inputs = model[:3](images)  # type: ignore[index]
    outputs = before[3](inputs).detach()  # type: ignore[index]
    rows = (outputs - before[3].bias[:, None, None]).movedim(1, -1).flatten(0, -2)  # type: ignore[index]
    expected = principal_directions(rows, mercuric.Directions(rank=0.25), 288)
    assert expected is not None

    done = mercuric.factorise_(copy.deepcopy(before), images)
    assert done == {"3": 32, "7": 16}
    mercuric.factorise_(before, images)
    found = before[3](inputs)  # type: ignore[index]
    bias = model[3].bias[:, None, None]  # type: ignore[index]
    wanted = expected.project(rows).view(24, 6, 5, 128).movedim(-1, 1) + bias
    assert torch.allclose(found, wanted, atol=1e-4)
    assert before[3].thin.out_channels == 32 and before[3].back.kernel_size == (1, 1)  # type: ignore[index]


def test_both_factors_are_trained_and_fewer(model: nn.Module, images: Tensor) -> None:
    parameters = sum(one.numel() for one in model.parameters())
    mercuric.factorise_(model, images)
    assert sum(one.numel() for one in model.parameters()) < 0.5 * parameters
    optimizer = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
    labels = torch.arange(24) % 3
    losses = []
    for _ in range(30):
        loss = nn.functional.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        assert all(one.grad is not None and one.grad.abs().sum() > 0 for one in model.parameters())
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]


def test_gradients_are_those_of_two_plain_layers(model: nn.Module, images: Tensor) -> None:
    mercuric.factorise_(model.double(), images.double())
    pair = model[7]  # type: ignore[index]
    assert torch.autograd.gradcheck(pair, torch.rand(2, 512, dtype=torch.float64, requires_grad=True))


def test_modes_stay_and_statistics_see_a_pass(model: nn.Module, images: Tensor) -> None:
    model.eval()
    model[4].train()  # type: ignore[index]
    with torch.no_grad():
        mercuric.factorise_(model, images)
    assert [one.training for one in model.children()] == [index == 4 for index in range(9)]
    assert not model[3].thin.training and model[1].num_batches_tracked == 1  # type: ignore[index]


def test_what_may_not_be_replaced_stays() -> None:
    class Own(nn.Linear):
        """A subclass, whose pass may be any."""

    class Several(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.own, self.frozen, self.plain = Own(128, 128), nn.Linear(128, 128), nn.Linear(128, 128)
            self.hooked = nn.Linear(128, 128)
            self.hooked.register_forward_hook(lambda *_: None)
            self.tied, self.twice = nn.Linear(128, 128), nn.Linear(128, 128)
            self.other, self.again = nn.Linear(128, 128), self.twice
            self.other.weight = self.tied.weight
            self.frozen.weight.requires_grad_(False)
            self.block = nn.TransformerEncoderLayer(128, 2, 256, batch_first=True)

        def forward(self, x: Tensor) -> Tensor:
            x = self.block(self.own(self.hooked(self.frozen(x)))[None])[0]
            return self.again(self.twice(self.other(self.tied(self.plain(x)))))  # type: ignore[no-any-return]

    torch.manual_seed(0)
    model = Several()
    rows = torch.rand(64, 128)
    with torch.no_grad():
        assert mercuric.factorise_(model, (rows,)) == {"plain": 32}
    assert model(rows).shape == (64, 128)
    assert isinstance(model.twice, nn.Linear) and model.twice is model.again


def test_filter_and_rank_choose(model: nn.Module, images: Tensor) -> None:
    assert mercuric.factorise_(copy.deepcopy(model), images, 16, nn.Linear) == {"7": 16}
    assert mercuric.factorise_(copy.deepcopy(model), images, 0.9) == {}


def test_wrong_arguments_are_refused(model: nn.Module, images: Tensor) -> None:
    keys = list(model.state_dict())
    with pytest.raises(ArgumentError, match=r"rank was 2\.5"):
        mercuric.factorise_(model, images, 2.5)
    with pytest.raises(ArgumentError, match="a batch was"):
        mercuric.factorise_(model, [images])  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="model was"):
        mercuric.factorise_(images, images)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="to have 3 channels"):
        mercuric.factorise_(model, torch.rand(2, 5, 8, 8))
    assert list(model.state_dict()) == keys and type(model[3]) is nn.Conv2d  # type: ignore[index]
    mercuric.reuse_(model)
    with pytest.raises(ArgumentError, match="has reuse layers"):
        mercuric.factorise_(model, images)
