"""Published networks give with exact reuse what they give without it: outputs, gradients, statistics.

Where an image has as many positions as classes, or flat channels, normalisation by nearly 0 makes any order
of summation visible, also PyTorch's own. So the statistics' epsilon is 0.1 here.
"""

import copy
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn

import mercuric
from mercuric import zoo
from mercuric.torchvision_operators import torchvision
from mercuric.zoo.other_outputs import build_game_network, build_image_network

MODELS = torchvision.models
FAMILIES: dict[str, tuple[int, Callable[[], nn.Module]]] = {
    "resnet": (48, lambda: MODELS.ResNet(MODELS.resnet.BasicBlock, [1, 1, 1, 1], 10)),
    "resnext": (
        48,
        lambda: MODELS.ResNet(MODELS.resnet.Bottleneck, [1, 1, 1, 1], 10, groups=8, width_per_group=4),
    ),
    "mobilenet_v2": (48, lambda: MODELS.mobilenet_v2(width_mult=0.25, num_classes=10)),
    "mobilenet_v3": (48, lambda: MODELS.mobilenet_v3_small(width_mult=0.5, num_classes=10)),
    "densenet": (48, lambda: MODELS.DenseNet(8, (2, 2, 2, 2), 16, num_classes=10)),
    "squeezenet": (48, lambda: MODELS.squeezenet1_1(num_classes=10)),
    "shufflenet": (48, lambda: MODELS.shufflenet_v2_x0_5(num_classes=10)),
    "convnext": (
        48,
        lambda: MODELS.ConvNeXt(
            [MODELS.convnext.CNBlockConfig(16, 32, 1), MODELS.convnext.CNBlockConfig(32, None, 1)],
            stochastic_depth_prob=0.5,
            num_classes=10,
        ),
    ),
    "swin": (
        48,
        lambda: MODELS.SwinTransformer(
            [4, 4], 16, [2, 2], [2, 2], [4, 4], stochastic_depth_prob=0.3, num_classes=10
        ),
    ),
    "vit": (32, lambda: MODELS.VisionTransformer(32, 16, 2, 2, 32, 64, dropout=0.1, num_classes=10)),
    "unet": (32, lambda: build_image_network("unet", width=0.25)),
    "restoration": (32, lambda: build_image_network("restoration-bn", width=0.25)),
    "dqn": (84, lambda: build_game_network("dqn", 4, 3)),
    "impala": (84, lambda: build_game_network("impala", 4, 3)),
}
LARGER: dict[str, tuple[int, Callable[[], nn.Module]]] = {
    "googlenet": (64, lambda: MODELS.googlenet(init_weights=False, num_classes=10)),
    "inception_v3": (
        96,
        lambda: MODELS.inception_v3(init_weights=False, aux_logits=False, num_classes=10),
    ),
    "efficientnet": (64, lambda: MODELS.efficientnet_b0(num_classes=10)),
    "regnet": (64, lambda: MODELS.regnet_y_400mf(num_classes=10)),
    "mnasnet": (64, lambda: MODELS.mnasnet0_5(num_classes=10)),
    "fcn": (64, lambda: MODELS.segmentation.fcn_resnet50(weights_backbone=None, aux_loss=True)),
    "lraspp": (64, lambda: MODELS.segmentation.lraspp_mobilenet_v3_large(weights_backbone=None)),
    "deeplabv3": (64, lambda: MODELS.segmentation.deeplabv3_mobilenet_v3_large(weights_backbone=None)),
    **{name: (32, lambda name=name: zoo.build(name, 10, width=0.25)) for name in zoo.names()},
}
TIMM = (
    "test_byobnet", "test_convnext", "test_convnext2", "test_efficientnet", "test_efficientnet_gn",
    "test_efficientnet_ln", "test_mambaout", "test_nfnet", "test_resnet",
)  # fmt: skip
LARGER_TIMM = (
    "convnextv2_atto", "dla46_c", "dm_nfnet_f0", "dpn48b", "edgenext_xx_small", "efficientvit_b0",
    "efficientvit_m0", "ese_vovnet19b_slim_dw", "fastvit_t8", "ghostnet_050", "hgnetv2_b0", "hrnet_w18_small",
    "inception_next_atto", "lcnet_035", "mixnet_s", "mobilenetv4_conv_small_035", "mobileone_s0",
    "mobilevit_xxs", "mobilevitv2_050", "poolformer_s12", "pvt_v2_b0", "regnetx_002", "repghostnet_050",
    "repvgg_a0", "repvit_m0_9", "resnest14d", "resnetv2_18", "rexnet_100", "selecsls42", "shvit_s1",
    "skresnet18", "starnet_s050", "swiftformer_xs", "tf_efficientnet_b0", "tinynet_e",
)  # fmt: skip


def page(side: int, seed: int = 0) -> Tensor:
    """Two images of blocks in four colours: (2, 3, side, side)."""
    generator = torch.Generator().manual_seed(seed)
    palette = torch.randn(4, 3, generator=generator, dtype=torch.float64)
    blocks = torch.randint(4, (2, -(-side // 8), -(-side // 8)), generator=generator)
    picks = blocks.repeat_interleave(8, 1).repeat_interleave(8, 2)[:, :side, :side]
    return palette[picks].movedim(-1, 1).contiguous()


def tensors(output: object) -> Iterator[Tensor]:
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, dict):
        for value in output.values():
            yield from tensors(value)
    elif isinstance(output, tuple | list):
        for value in output:
            yield from tensors(value)


def step(network: nn.Module, images: Tensor) -> dict[str, Tensor]:
    """Outputs, gradients, statistics, and which random numbers come next."""
    torch.manual_seed(7)
    outputs = list(tensors(network(images)))
    loss = torch.zeros((), dtype=torch.float64)
    for place, output in enumerate(outputs):
        assert type(output) is Tensor
        weights = torch.randn(output.shape, generator=torch.Generator().manual_seed(place))
        loss = loss + (output * weights).sum()
    loss.backward()
    found = {f"output {place}": output.detach() for place, output in enumerate(outputs)}
    found |= {f"gradient of {k}": v.grad for k, v in network.named_parameters() if v.grad is not None}
    return found | dict(network.named_buffers()) | {"random": torch.rand(2)}


def compare(network: nn.Module, images: Tensor, training: bool) -> None:
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eps = 0.1
    reused = copy.deepcopy(network.double().train(training))
    expected = step(network, images)
    handle = mercuric.reuse_(reused, mercuric.Equal(most=1.0))
    found = step(reused, images)
    assert all(layer.look.found == "" for layer in handle.layers.values())
    assert found.keys() == expected.keys()
    gradients = [float(v.abs().max()) for k, v in expected.items() if k.startswith("gradient") and v.numel()]
    for name, truth in expected.items():
        if not truth.numel():
            continue
        # A gradient that is mathematically 0, as before a normalisation, is what rounding leaves.
        scale = max(float(truth.abs().max()), 1e-3 * max(gradients) if name.startswith("gradient") else 0.0)
        error = float((found[name].double() - truth.double()).abs().max()) / max(scale, 1e-3)
        assert error <= 1e-9, (name, error)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_families(name: str, training: bool) -> None:
    torch.manual_seed(0)
    side, build = FAMILIES[name]
    compare(build(), page(side), training)


@pytest.mark.parametrize("name", ["resnet", "mobilenet_v3", "unet", "convnext"])
def test_channels_last(name: str) -> None:
    torch.manual_seed(0)
    side, build = FAMILIES[name]
    images = page(side).contiguous(memory_format=torch.channels_last)
    compare(build().to(memory_format=torch.channels_last), images, True)


@pytest.mark.parametrize("name", TIMM)
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_small_timm_networks(name: str, training: bool) -> None:
    timm = pytest.importorskip("timm")
    torch.manual_seed(0)
    compare(timm.create_model(name, num_classes=10), page(48), training)


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGER)
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_larger_families(name: str, training: bool) -> None:
    torch.manual_seed(0)
    side, build = LARGER[name]
    compare(build(), page(side), training)


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGER_TIMM)
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_larger_timm_networks(name: str, training: bool) -> None:
    timm = pytest.importorskip("timm")
    torch.manual_seed(0)
    compare(timm.create_model(name, num_classes=10), page(64), training)
