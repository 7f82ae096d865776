import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mercuric import reuse_, zoo
from mercuric.studies.models.study import (
    KINDS,
    Image,
    Layer,
    SentencePair,
    count_network,
    kind_of,
    published_image_size,
)

# MACs of one image as torchvision publishes them (its "_ops", to three decimals)
PUBLISHED_GIGAMACS = {
    "alexnet": 0.714,
    "densenet121": 2.834,
    "densenet169": 3.360,
    "googlenet": 1.498,
    "mobilenet-v2": 0.301,
    "resnet50": 4.089,
    "resnet152": 11.514,
    "squeezenet-1.0": 0.819,
    "vgg13": 11.308,
    "vgg16": 15.470,
}


@pytest.mark.parametrize(("name", "gigamacs"), PUBLISHED_GIGAMACS.items())
def test_macs_are_the_published_ones(name: str, gigamacs: float) -> None:
    count = count_network(name, published_image_size(name))
    assert count.example == Image("imagenet", 224, 1000)
    assert round(count.macs / 1e9, 3) == pytest.approx(gigamacs, abs=5.1e-4)


def test_inception_v4_is_counted_at_299_pixels() -> None:
    count = count_network("inception-v4", published_image_size("inception-v4"))
    assert count.example == Image("imagenet", 299, 1000)
    assert count.macs == pytest.approx(12.28e9, rel=0.01)  # timm's table: 12.28


def test_a_layer_a_row() -> None:
    count = count_network("custom-cnn")
    assert count.layers == (
        Layer("features.0", "convolution", 3 * 1024, 9, 32, 3 * 1024 * 9 * 32),
        Layer("features.3", "convolution", 32 * 256, 9, 64, 32 * 256 * 9 * 64),
        Layer("features.6", "convolution", 64 * 64, 9, 128, 64 * 64 * 9 * 128),
        Layer("classifier.1", "fully connected", 1, 2048, 256, 2048 * 256),
        Layer("classifier.3", "fully connected", 1, 256, 10, 2560),
    )
    assert count.macs == sum(layer.macs for layer in count.layers)
    assert (count.parameters, count.macs_beside_layers) == (620_362, 0)


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("mobilenet-v2", (1, 34, 17, 1, 0)),
        ("resnet50", (17, 36, 0, 1, 0)),
        ("vgg16", (13, 0, 0, 3, 0)),
        ("squeezenet-1.0", (9, 17, 0, 0, 0)),
    ],
)
def test_layers_of_each_kind(name: str, numbers: tuple[int, ...]) -> None:
    count = count_network(name, 224)
    assert tuple(map(count.number_of, KINDS)) == numbers
    assert sum(numbers) == len(count.layers)


def test_a_pixel_of_a_1x1_convolution_is_a_vector_and_a_depthwise_layer_has_one_filter() -> None:
    first_block = [
        layer for layer in count_network("mobilenet-v2").layers if layer.name.startswith("features.1.")
    ]
    assert [(layer.kind, layer.vectors, layer.length, layer.filters) for layer in first_block] == [
        ("depthwise", 32 * 1024, 9, 1),
        ("1x1", 1024, 32, 16),
    ]


@pytest.mark.parametrize(
    ("layer", "kind"),
    [
        (nn.Conv2d(4, 4, 3), "convolution"),
        (nn.Conv2d(4, 8, (1, 7), groups=2), "convolution"),
        (nn.Conv2d(1, 8, 3), "convolution"),
        (nn.Conv2d(4, 8, 3, groups=4), "depthwise"),
        (nn.Conv2d(4, 8, 1, stride=2), "1x1"),
        (nn.Linear(4, 8), "fully connected"),
        (nn.MultiheadAttention(4, 2), "attention"),
    ],
)
def test_kinds(layer: nn.Module, kind: str) -> None:
    network = nn.Sequential(layer)
    assert kind_of(reuse_(network).layers["0"], network) == kind


@pytest.mark.parametrize("name", zoo.names())
def test_the_form_for_small_images_is_counted_without_memory(name: str) -> None:
    state = torch.random.get_rng_state()
    count = count_network(name)
    assert count.example == Image("cifar", 32, 10)
    with torch.device("meta"):
        network = zoo.build(name, 10).eval()
        assert count.macs == dense_macs(network, torch.empty(1, 3, 32, 32))
    assert torch.equal(state, torch.random.get_rng_state())


def dense_macs(network: nn.Module, *inputs: torch.Tensor) -> int:
    """What torch's own counter finds."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(*inputs)
    return counter.get_total_flops() // 2


def test_the_transformer_is_counted_on_a_sentence_pair() -> None:
    state = torch.random.get_rng_state()
    count = count_network("transformer")
    assert count.example == SentencePair(source_subwords=12, target_subwords=14, vocabulary=8000)
    with torch.device("meta"):
        network = zoo.build_transformer(8000)
        ids = [torch.empty(1, length, dtype=torch.int64) for length in (12, 14)]
        assert count.macs == dense_macs(network, *ids)
    assert count.parameters == sum(parameter.numel() for parameter in network.parameters())
    assert count.macs_beside_layers == 14 * 128 * 8000
    assert torch.equal(state, torch.random.get_rng_state())


def test_attention_is_three_layers_and_its_keys_and_values_are_projected_from_the_source() -> None:
    count = count_network("transformer")
    prefix = "decoder.0.multihead_attn"
    assert [layer for layer in count.layers if layer.name.startswith(prefix)] == [
        Layer(f"{prefix}.in_proj", "fully connected", 14, 128, 128, 14 * 128 * 128),
        Layer(f"{prefix}.in_proj", "fully connected", 12, 128, 256, 12 * 128 * 256),
        Layer(prefix, "attention", 4 * 14, 32, 2 * 12, 2 * 4 * 14 * 12 * 32),
        Layer(f"{prefix}.out_proj", "fully connected", 14, 128, 128, 14 * 128 * 128),
    ]
    # an encoder layer has one attention and a decoder layer two; each has two projections
    assert tuple(map(count.number_of, KINDS)) == (0, 0, 0, 3 * (2 + 2) + 3 * (4 + 2), 3 + 3 * 2)
    assert count.number_of("fully connected") + 9 == len(count.layers) - 3


@pytest.mark.parametrize(
    ("image_size", "sentence"),
    [(0, "image_size was 0"), (15, "needs images of at least 16"), (4097, "it must be at most 4096 pixels")],
)
def test_sizes_that_can_not_be_counted(image_size: int, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        count_network("resnet18", image_size)


def test_sentences_have_no_image_size() -> None:
    with pytest.raises(ValueError, match="image_size was 32, but transformer reads sentences"):
        count_network("transformer", 32)


def test_an_unknown_network() -> None:
    with pytest.raises(ValueError, match=r"model was 'vgg99', but must be one of .*, transformer, vgg13"):
        count_network("vgg99")
