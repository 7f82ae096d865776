"""Does a model with reuse say what it covers, what never ran and what is dense?"""

import re
import warnings
from collections.abc import Callable, Iterator

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch._dynamo.testing import CompileCounter
from torch.utils.flop_counter import FlopCounterMode

import mercuric
from mercuric import ReuseConfig, ReuseHandle, restore_, reuse_

# isort: split
from mercuric.torchvision_operators import torchvision

import timm  # isort: skip
import transformers  # isort: skip


class Past(nn.Module):
    """Reads a layer's weight past it, as torchvision's Swin does, and multiplies by a weight of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.called, self.read = nn.Linear(8, 8), nn.Linear(8, 8)
        self.own = nn.Parameter(torch.randn(8, 16))

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(self.called(x), self.read.weight) @ self.own


class Doubled(nn.Conv2d):
    """A subclass."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002
        return 2 * super().forward(input)


class Mixed(nn.Module):
    """Layers of many kinds."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.subclass = Doubled(8, 8, 3, padding=1)
        self.up = nn.ConvTranspose2d(8, 8, 2, 2)
        self.recurrent = nn.LSTM(8, 8, batch_first=True)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.head = nn.Linear(8, 4)
        self.double()

    def forward(self, images: Tensor) -> Tensor:
        features = self.up(self.subclass(self.depthwise(self.conv(images)))).flatten(2).transpose(1, 2)
        rows, _ = self.recurrent(features)
        rows, _ = self.attention(query=rows, key=rows, value=rows)
        output: Tensor = self.head(rows)
        return output


def passed(
    model: nn.Module, *inputs: Tensor, config: ReuseConfig | None = None, **named: Tensor
) -> ReuseHandle:
    """The handle after a first pass without a word."""
    handle = reuse_(model, config)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        model.eval()(*inputs, **named)
    return handle


def test_macs_of_every_kind_of_layer() -> None:
    model, images = Mixed(), torch.randn(2, 3, 4, 4, dtype=torch.float64)
    coverage = passed(model, images).coverage
    rows = 2 * 64
    assert coverage.reused == {
        "conv": 2 * 16 * 8 * 27,
        "depthwise": 2 * 16 * 8 * 9,
        "up": 2 * 16 * 8 * 8 * 4,
        "attention.in_proj": 3 * rows * 64,
        "attention": 2 * 2 * 64 * 64 * 8,
        "attention.out_proj": rows * 64,
        "head": rows * 32,
    }
    assert coverage.others == {"subclass": 2 * 16 * 8 * 72, "recurrent": rows * 4 * 8 * 16}
    assert set(coverage.dense) == {"subclass", "recurrent"}


def test_print_says_all() -> None:
    model = Mixed()
    handle = reuse_(model, filter_fn=lambda _, name: name != "head")
    assert str(handle).startswith(
        "reuse in 6 layers; multiply-accumulates covered: known after a forward pass\n"
    )
    model(torch.randn(2, 3, 4, 4, dtype=torch.float64))
    handle.switch_off("depthwise")
    text = re.sub(r"\d+%", "N%", str(handle)).splitlines()
    assert text == [
        "reuse in 6 layers; multiply-accumulates covered: N%",
        "  switched off: depthwise",
        "  dense (N%): subclass: test_coverage.Doubled is a subclass of Conv2d",
        "  dense (N%): recurrent: LSTM is no kind of layer that reuses",
        "  dense (N%): head: filter_fn leaves it out",
    ]


def test_fast_leaves_groups_and_attention_dense() -> None:
    handle = passed(Mixed(), torch.randn(2, 3, 4, 4, dtype=torch.float64), config=ReuseConfig.fast())
    assert list(handle.layers) == ["conv", "up", "head"]
    assert handle.coverage.dense["depthwise"] == "its channels are in groups"
    assert handle.coverage.dense["attention"] == "attention has no principal directions"
    assert handle.coverage.others["attention"] == 2 * 2 * 64 * 64 * 8 + 4 * 128 * 64


def test_layers_whose_weights_are_read_past_them() -> None:
    model = Past()
    handle = reuse_(model)
    with pytest.warns(UserWarning) as said:
        model(torch.randn(5, 8))
        report = handle.report()
        handle.report()
    assert len(said) == 1
    assert str(said[0].message) == (
        "1 of 2 reuse layers never ran, because the forward pass doesn't call them (their weights may be "
        "read past them): read; reuse covers 25% of the model's multiply-accumulates, and the model itself "
        "compute the rest densely; print(handle) says why"
    )
    assert report.attrs == {
        "covered": 0.25,
        "never_ran": ["read"],
        "dense": {"": "products of its own, in no layer that can reuse"},
        "functions": {},
    }


def test_a_layer_that_is_dense_for_a_reason_is_not_covered() -> None:
    model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8))
    handle = passed(model, torch.randn(5, 8))
    handle.layers["1"].dense_because = "its weight is frozen"
    report = handle.report()
    assert report.attrs["covered"] == 0.5 and report.attrs["dense"] == {"1": "its weight is frozen"}
    assert str(handle).splitlines()[1] == "  dense (50%): 1: its weight is frozen"


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: nn.LazyLinear(3), "it is lazy and has not seen an input yet"),
        (lambda: torch.jit.script(nn.Linear(3, 3)), "it is compiled to TorchScript"),
        (lambda: nn.Conv3d(3, 3, 1), "Conv3d is no kind of layer that reuses"),
        (lambda: timm.layers.Linear(3, 3), "timm.layers.linear.Linear is a subclass of Linear"),
        (
            lambda: transformers.pytorch_utils.Conv1D(3, 3),
            "transformers.pytorch_utils.Conv1D is no kind of layer that reuses",
        ),
        (lambda: timm.layers.StdConv2d(3, 3, 1), "timm.layers.std_conv.StdConv2d is a subclass of Conv2d"),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_reasons(make: Callable[[], nn.Module], why: str) -> None:
    model = nn.ModuleDict({"dense": make(), "reuses": nn.Linear(3, 3)})
    assert reuse_(model).coverage.dense == {"dense": why}
    restore_(model)
    with pytest.raises(ValueError, match=re.escape(f"; dense: {why}")):
        reuse_(nn.ModuleDict({"dense": model["dense"]}))


def test_a_pass_that_fails_is_not_counted_and_its_error_goes_through() -> None:
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Flatten(), nn.Linear(8 * 36, 4))
    handle = reuse_(model)
    with pytest.raises(ValueError, match="its last dimension must be 288"):
        model(torch.randn(1, 3, 9, 9))
    assert torch.utils._python_dispatch._get_current_dispatch_mode() is None
    assert handle.report().attrs["covered"] is None
    model(torch.randn(1, 3, 8, 8))
    assert handle.coverage.reused == {"0": 36 * 8 * 27, "2": 288 * 4}
    assert not model._forward_hooks and not model._forward_pre_hooks and not model[0]._forward_hooks


class Interrupted(nn.Module):
    """Interrupted once, by a person."""

    def __init__(self) -> None:
        super().__init__()
        self.due = True

    def forward(self, x: Tensor) -> Tensor:
        if self.due:
            self.due = False
            raise KeyboardInterrupt
        return x


def compiles() -> bool:
    """Whether torch.compile still does: below a mode that stayed it computes as before, and says nothing."""
    graphs = CompileCounter()  # type: ignore[no-untyped-call]
    torch.compiler.reset()
    torch.compile(nn.Linear(2, 2), backend=graphs)(torch.zeros(1, 2))
    return bool(graphs.frame_count)


def test_an_interrupted_pass_is_forgotten() -> None:
    model = nn.Sequential(nn.Linear(8, 4), Interrupted())
    handle = reuse_(model)
    with pytest.raises(KeyboardInterrupt):
        model(torch.randn(5, 8))
    with FlopCounterMode(display=False) as counter:
        for _ in range(2):
            model(torch.randn(5, 8))
    assert counter.get_total_flops() == 2 * 2 * 5 * 8 * 4
    assert torch._C._len_torch_dispatch_stack() == 0 and compiles()
    assert handle.coverage.reused == {"0": 5 * 8 * 4}
    restore_(model)
    assert not model._forward_hooks and not model._forward_pre_hooks


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_scripted_parts_run_and_count_as_their_parents() -> None:
    model = nn.Sequential(torch.jit.script(nn.Linear(8, 8)), nn.Linear(8, 2))
    handle = passed(model, torch.randn(5, 8))
    assert handle.coverage.reused == {"1": 5 * 8 * 2} and handle.coverage.others == {"": 5 * 8 * 8}
    restore_(model)


def test_a_part_that_holds_all_layers_may_be_called_instead() -> None:
    model = nn.ModuleDict({"network": nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 2))})
    handle = reuse_(model)
    model["network"](torch.randn(5, 8))
    assert handle.report().attrs["covered"] == 1


def test_errors_of_all_calls_are_one() -> None:
    """A layer that is called twice: its error is that of both outputs, joined."""
    torch.manual_seed(0)
    layer = nn.Linear(4, 6)
    first, second = torch.randn(300, 4), 10 * torch.randn(200, 4)

    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = layer

        def forward(self, one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
            return self.layer(one), self.layer(other)

    model = Twice()
    dense = torch.cat(model(first, second))
    handle = reuse_(model, ReuseConfig(bits=4, magnitude=None))
    joined = torch.cat(model(first, second))
    expected = float((joined - dense).detach().norm() / dense.detach().norm())
    assert handle.layers["layer"].error == pytest.approx(expected, rel=1e-5) and expected > 0.1
    model(first, first)
    assert handle.layers["layer"].error == pytest.approx(expected, rel=1e-5)
    handle.measure_error()
    model(first, first)
    assert handle.layers["layer"].error != pytest.approx(expected, rel=1e-3)


small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
words = {"vocab_size": 20, "bos_token_id": None, "eos_token_id": None}
ids = torch.arange(8)[None]
picture = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def networks() -> Iterator[tuple[str, Callable[[], nn.Module], dict[str, Tensor], float, int]]:
    """Name, builder, inputs, share covered and number of layers that never run."""
    yield (
        "swin",
        lambda: torchvision.models.SwinTransformer([4, 4], 8, [2], [2], [4, 4]),
        {"x": picture},
        0.5,
        4,
    )
    yield "densenet", lambda: torchvision.models.DenseNet(4, (2, 2), 8), {"x": picture}, 1, 0
    yield (
        "vit",
        lambda: torchvision.models.VisionTransformer(32, 8, 1, 2, 16, 32, num_classes=4),
        {"x": picture}, 1, 0,
    )  # fmt: skip
    yield (
        "beit",
        lambda: timm.models.beit.Beit(32, 8, embed_dim=16, depth=2, num_heads=2, num_classes=4),
        {"x": picture}, 0.8, 2,
    )  # fmt: skip
    yield (
        "convnext",
        lambda: timm.models.ConvNeXt(depths=(1, 1, 1, 1), dims=(4, 4, 8, 8), num_classes=4),
        {"x": picture}, 1, 0,
    )  # fmt: skip
    yield (
        "mixer",
        lambda: timm.models.MlpMixer(img_size=32, patch_size=8, num_blocks=1, embed_dim=16, num_classes=4),
        {"x": picture}, 1, 0,
    )  # fmt: skip
    yield (
        "bert",
        lambda: transformers.BertModel(transformers.BertConfig(vocab_size=20, **small)),
        {"input_ids": ids}, 0.9, 0,
    )  # fmt: skip
    yield (
        "gpt2",
        lambda: transformers.GPT2LMHeadModel(
            transformers.GPT2Config(n_embd=16, n_layer=1, n_head=2, **words)
        ),
        {"input_ids": ids}, 0.1, 0,
    )  # fmt: skip
    yield (
        "llama",
        lambda: transformers.LlamaForCausalLM(
            transformers.LlamaConfig(num_key_value_heads=1, **small, **words)
        ),
        {"input_ids": ids}, 0.9, 0,
    )  # fmt: skip
    yield (
        "t5",
        lambda: transformers.T5ForConditionalGeneration(
            transformers.T5Config(vocab_size=20, d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2)
        ),
        {"input_ids": ids, "decoder_input_ids": ids}, 0.9, 0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("build", "inputs", "share", "unused"), [n[1:] for n in networks()], ids=[n[0] for n in networks()]
)
def test_real_models(
    build: Callable[[], nn.Module], inputs: dict[str, Tensor], share: float, unused: int
) -> None:
    """The products of a dense pass are all there, and a restored model computes as before."""
    torch.manual_seed(0)
    model = build().eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        before = model(**inputs)
    handle = passed(model, **inputs)
    coverage = handle.coverage
    counted = coverage.reused.total() + coverage.others.total()
    # PyTorch's counter knows no attention on a CPU.
    assert counter.get_total_flops() // 2 <= counted <= 1.5 * counter.get_total_flops() // 2
    report = handle.report() if share > 0.5 and not unused else None
    covered = mercuric.reuse.coverage_text.share_covered(handle.layers, coverage)
    assert covered == pytest.approx(share, abs=0.12), covered
    assert len(mercuric.reuse.coverage_text.never_ran(handle.layers)) == unused
    assert report is None or report.attrs["never_ran"] == []
    restore_(model)
    with torch.no_grad():
        after = model(**inputs)
    first = before if isinstance(before, Tensor) else before[0]
    assert torch.equal(first, after if isinstance(after, Tensor) else after[0])
