"""Do peers do what their authors published, figure by figure?"""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from schedule_subjects import ground_of
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mercuric import data, zoo
from mercuric.reuse.directions.factors import decompose_, factors, most_that_saves
from mercuric.studies.schedule.forms import FORMS
from mercuric.studies.schedule.forms.cuttlefish import scaled_rank, stable_rank
from mercuric.studies.schedule.forms.factorize import latent
from mercuric.studies.schedule.forms.form import Unfit
from mercuric.studies.schedule.forms.infobatch import ANNEALING, PRUNED, Pruning, expected_saving
from mercuric.studies.schedule.forms.pufferfish import low_ranks
from mercuric.studies.schedule.forms.resizing import sides


def parameters(network: nn.Module) -> int:
    return sum(one.numel() for one in network.parameters())


def giga_macs(network: nn.Module) -> float:
    """Of an image of 32 x 32, to two decimals, as the authors give them."""
    with FlopCounterMode(display=False) as counted:
        network(torch.empty(1, 3, 32, 32, device="meta"))
    return round(counted.get_total_flops() / 2e9, 2)


def their_vgg19() -> nn.Module:
    """VGG-19 with normalisation as Pufferfish has it: no biases before that, three fully connected layers."""
    network = zoo.build("vgg19", 10, 3, 32).eval()
    for layer in network.get_submodule("features").children():
        if isinstance(layer, nn.Conv2d):
            layer.bias = None
    hidden = [nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU()]
    network.classifier = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), *hidden, nn.Linear(512, 10))
    return network


def test_pufferfish_has_the_published_sizes() -> None:
    """MLSys 2021, CIFAR-10: VGG-19 20,560,330 to 8,370,634 parameters, 0.40 to 0.29 G; ResNet-18 11,173,834
    to 3,336,138, 0.56 to 0.22 G, without the 128 of the first normalisation."""
    with torch.device("meta"):
        vgg, resnet = their_vgg19(), zoo.build("resnet18", 10, 3, 32).eval()
    for network, before, after, uncounted in (
        (vgg, (20_560_330, 0.40), (8_370_634, 0.29), 0),
        (resnet, (11_173_834, 0.56), (3_336_138, 0.22), 128),
    ):
        assert (parameters(network) - uncounted, giga_macs(network)) == before
        decompose_(network, low_ranks(network))
        assert (parameters(network) - uncounted, giga_macs(network)) == after


def test_cuttlefish_ranks_are_of_known_matrices() -> None:
    """MLSys 2023: squares of the singular values over the largest; fresh weights have their full rank."""
    assert stable_rank(torch.eye(7)) == 7
    assert abs(stable_rank(torch.outer(torch.randn(5), torch.randn(9))) - 1) < 1e-9
    assert stable_rank(torch.diag(torch.tensor([2.0, 1.0, 1.0, 1.0]))) == 7 / 4
    assert stable_rank(torch.zeros(3, 4)) == 0
    fresh = stable_rank(torch.randn(64, 576))
    assert scaled_rank(fresh, fresh, 64) == 64
    assert scaled_rank(fresh / 4, fresh, 64) == 16
    assert scaled_rank(1e-9, fresh, 64) == 1 and scaled_rank(2 * fresh, fresh, 64) == 64


def test_factorize_asks_for_256_channels_and_takes_a_quarter_of_the_smaller() -> None:
    """Composer's defaults: min_channels 256, latent_channels 0.25, min_features 256, latent_features 128."""
    assert latent(nn.Conv2d(256, 512, 3)) == 64 and latent(nn.Conv2d(512, 512, 3)) == 128
    assert latent(nn.Conv2d(255, 512, 3)) is None
    assert latent(nn.Linear(512, 1000)) == 128 and latent(nn.Linear(512, 10)) is None
    # Zhang and others: k k c d against k k c d' + d' d.
    rank = most_that_saves(512, 9 * 512)
    assert rank * (9 * 512 + 512) < 9 * 512 * 512 <= (rank + 1) * (9 * 512 + 512)
    assert most_that_saves(4, 4) == 1, "half saves nothing"
    network = nn.Sequential(nn.Linear(300, 256))
    assert decompose_(network, {"0": 200}) == {} and isinstance(network[0], nn.Linear)


def test_factors_are_the_nearest_of_their_rank() -> None:
    torch.manual_seed(0)
    for layer, images in (
        (nn.Conv2d(6, 10, 3, stride=2, padding=1), torch.randn(2, 6, 9, 9)),
        (nn.Conv2d(6, 10, 1, bias=False), torch.randn(2, 6, 5, 5)),
        (nn.Linear(7, 12), torch.randn(5, 7)),
    ):
        rows = layer.weight.flatten(1)
        values = torch.linalg.svdvals(rows)
        for rank in (2, min(rows.shape)):
            made = factors(layer, rank)
            thin, back = made.thin.weight.flatten(1), made.back.weight.flatten(1)
            left = torch.linalg.matrix_norm(rows - back @ thin)
            torch.testing.assert_close(left, values[rank:].square().sum().sqrt(), atol=1e-5, rtol=1e-5)
            torch.testing.assert_close(thin.norm(), back.norm())
        torch.testing.assert_close(
            factors(layer, min(rows.shape))(images), layer(images), atol=1e-5, rtol=1e-4
        )


def test_infobatch_saves_what_it_says_and_keeps_the_gradient() -> None:
    """ICLR 2024: r = 0.5, delta = 0.875; 40 % saved on CIFAR-10 is nearly all that these allow."""
    assert (PRUNED, ANNEALING) == (0.5, 0.875)
    assert expected_saving(1.0) == 0.4375 and abs(expected_saving(0.914) - 0.40) < 1e-3
    examples = 4000
    learner = Pruning(nn.Identity(), examples)
    order = torch.randperm(examples, generator=torch.Generator().manual_seed(0))
    assert torch.equal(learner.epoch(order, 0.0), order), "nothing is known in the first epoch"
    losses = torch.rand(examples, generator=torch.Generator().manual_seed(1)) ** 3
    learner.loss(torch.arange(examples), losses)
    below = losses < losses.mean()
    sums, visits = torch.zeros(examples), 30
    for epoch in range(visits):
        shuffled = torch.randperm(examples, generator=torch.Generator().manual_seed(2 + epoch))
        kept = learner.epoch(shuffled, 0.5)
        assert len(kept) == len(kept.unique()) == examples - below.sum() + round(0.5 * int(below.sum()))
        assert set((~below).nonzero().flatten().tolist()) <= set(kept.tolist()), (
            "what is above the mean stays"
        )
        sums[kept] += learner.weights[kept]
    torch.testing.assert_close((sums * losses).sum() / visits, losses.sum(), rtol=0.01, atol=0)
    assert torch.equal(learner.epoch(order, ANNEALING), order) and bool((learner.weights == 1).all())
    pruned = learner.facts()["pruned"]
    assert abs(pruned - PRUNED * float(below.float().mean()) * visits / (visits + 2)) < 1e-3


def test_rescaled_losses_weigh_what_was_kept() -> None:
    learner = Pruning(nn.Identity(), 4)
    learner.loss(torch.arange(4), torch.tensor([1.0, 1.0, 1.0, 9.0]))
    kept = learner.epoch(torch.arange(4), 0.1)
    assert kept.tolist() == [0, 1, 3], "round(0.5 x 3) of the three that are under the mean"
    loss = learner.loss(kept, torch.tensor([1.0, 1.0, 9.0]))
    torch.testing.assert_close(loss, torch.tensor((1.5 + 1.5 + 9) / 3))


def test_images_grow_from_half_to_whole() -> None:
    """Composer's ProgressiveResizing: from half the side, by multiples of 4 pixels, a last fifth whole."""
    ground = ground_of(data.load("photos", image_size=32))
    assert sides(ground) == [16, 20, 24, 28, 32]
    stages = FORMS["resizing"].stages(ground)
    assert [stage.name for stage in stages] == ["16 px", "20 px", "24 px", "28 px", "32 px"]
    shares = [stage.share for stage in stages]
    assert shares[0] == 0.5 and shares[-1] == 0.2 and abs(sum(filter(None, shares)) - 1) < 1e-12
    learner = FORMS["resizing"].learner(ground, 4)
    images = torch.rand(2, 3, 32, 32)
    learner.enter(0, images)
    torch.testing.assert_close(learner.seen(images), F.avg_pool2d(images, 2))
    learner.enter(4, images)
    assert learner.seen(images) is images


def test_a_network_of_ones_own_is_tried_for_the_smallest_images_it_reads(tmp_path: Path) -> None:
    (tmp_path / "strided.py").write_text(
        "from torch import nn\n\n"
        "def network(classes, channels):\n"
        "    wide = nn.Conv2d(channels, 8, 23)\n"
        "    return nn.Sequential(wide, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, classes))\n"
    )
    images = data.load("photos", image_size=32)
    assert sides(ground_of(images, f"{tmp_path}/strided.py:network")) == [24, 28, 32]
    with pytest.raises(Unfit, match="reads images of at least 24 pixels a side, and these have 24"):
        sides(ground_of(data.load("photos", image_size=24), f"{tmp_path}/strided.py:network"))
