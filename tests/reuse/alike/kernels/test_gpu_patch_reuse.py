"""Does a layer on a GPU see and compute what a layer on a CPU does?"""

import pytest
import torch
import torch.nn.functional as F
from operators_recorded import Recorded
from torch import Tensor

pytest.importorskip("triton", reason="the kernels are compiled by Triton")

from mercuric.errors import MercuricError
from mercuric.reuse import ReuseConfig, ReuseConv2d, ReuseLinear
from mercuric.reuse.alike import patches as patch_reuse
from mercuric.reuse.alike.gpu_patches import reuse_patches_on_gpu
from mercuric.reuse.alike.kernels.gpu import device as gpu_device
from mercuric.reuse.alike.kernels.gpu.launch import INTERPRETED
from mercuric.similarity import HitState

CONFIG = ReuseConfig(
    bits=12, granularity="patch", magnitude=None, projection="separable", entries=None, scope="image"
)
interpreted = pytest.mark.skipif(not INTERPRETED, reason="on a CPU Triton's kernels need TRITON_INTERPRET=1")


def layer(scope: str = "image", **options: object) -> ReuseConv2d:
    torch.manual_seed(0)
    return ReuseConv2d(3, 4, 3, reuse=CONFIG.model_copy(update={"scope": scope}), **options)


def photograph(photographs: Tensor) -> Tensor:
    """Two corners of photographs with a black one before: (2, 3, 6, 7)."""
    corner = photographs[:2, :, :6, :7].clone()
    corner[:, :, :4, :4] = 0
    return corner


def on_gpus_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patch_reuse, "reuse_patches", reuse_patches_on_gpu)


@interpreted
@pytest.mark.parametrize("scope", ["image", "batch"])
@pytest.mark.parametrize(
    "options", [{"padding": 1}, {"stride": 2, "padding": (0, 1), "padding_mode": "reflect"}]
)
def test_a_convolution_sees_the_same_and_computes_the_same(
    photographs: Tensor, monkeypatch: pytest.MonkeyPatch, scope: str, options: dict[str, object]
) -> None:
    images = photograph(photographs)
    found = []
    for gpu in (False, True):
        if gpu:
            on_gpus_way(monkeypatch)
        conv, seen = layer(scope, **options), []
        conv.reuse.observers.append(seen.append)
        output = conv(images.requires_grad_())
        gradients = torch.autograd.grad(output.square().sum(), (images, conv.weight, conv.bias))
        found.append((output, *gradients, seen[0], conv.reuse))
    *tensors, on_cpu, state = found[0]
    *others, on_gpu, other_state = found[1]
    for one, other in zip(tensors, others, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-4, atol=1e-4)
    assert torch.equal(on_cpu.hitmap.states, on_gpu.hitmap.states)
    assert torch.equal(on_cpu.hitmap.representatives, on_gpu.hitmap.representatives)
    assert torch.equal(on_cpu.signatures, on_gpu.signatures) and torch.equal(on_cpu.zero, on_gpu.zero)
    assert state.counts == other_state.counts and state.counts.hit > 0 and state.counts.zero > 0
    assert state.error == pytest.approx(other_state.error, rel=1e-4)


@interpreted
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # NumPy's, in the interpreter
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), 3e38])
def test_what_is_not_finite_is_like_nothing_on_both(
    photographs: Tensor, monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    images = photograph(photographs)
    images[0, 1, 1:3, 2] = images[1, 0, 5, 6] = value
    found = []
    for gpu in (False, True):
        if gpu:
            on_gpus_way(monkeypatch)
        conv, seen = layer("batch", padding=1), []
        conv.reuse.observers.append(seen.append)
        found.append((conv(images).isfinite(), seen[0], conv.reuse.counts))
    (finite, on_cpu, counts), (other_finite, on_gpu, other_counts) = found
    assert torch.equal(finite, other_finite)
    assert torch.equal(on_cpu.hitmap.states, on_gpu.hitmap.states)
    assert torch.equal(on_cpu.hitmap.representatives, on_gpu.hitmap.representatives)
    assert torch.equal(on_cpu.context, on_gpu.context) and torch.equal(on_cpu.zero, on_gpu.zero)
    assert counts == other_counts and counts.hit > 0 and counts.mnu >= 3 * 3 + 2


@interpreted
def test_gradients_of_gradients(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gradient penalty's: those of a CPU, and by ``torch.func.grad`` those of ``backward``."""
    images = torch.randn(2, 3, 5, 4, generator=torch.Generator().manual_seed(0))[[0, 0]]

    def penalty(conv: ReuseConv2d) -> list[Tensor]:
        at = images.clone().requires_grad_()
        (slope,) = torch.autograd.grad(conv(at).square().sum(), at, create_graph=True)
        found = torch.autograd.grad(slope.square().sum(), [at, conv.weight, conv.bias])
        other = torch.func.grad(lambda values: conv(values).square().sum())(images)
        torch.testing.assert_close(other, slope.detach())
        return list(found)

    expected = penalty(layer("batch", padding=1))
    on_gpus_way(monkeypatch)
    conv = layer("batch", padding=1)
    torch.testing.assert_close(penalty(conv), expected, rtol=1e-3, atol=1e-3)
    assert conv.reuse.counts.hit > 0


@interpreted
def test_rows_are_computed_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    linear = ReuseLinear(5, 3, reuse=CONFIG)
    rows = torch.randn(2, 3, 5)[:, [0, 1, 0, 2, 2]]
    expected = linear(rows)
    on_gpus_way(monkeypatch)
    torch.testing.assert_close(linear(rows), expected)
    assert linear.reuse.counts.hit == 2 * 4


@interpreted
def test_vectors_beyond_the_capacity_are_counted_as_without_room(photographs: Tensor) -> None:
    images, conv, seen = photograph(photographs), layer("batch", padding=1), []
    conv.reuse.observers.append(seen.append)

    def limited(*arguments: object) -> Tensor:
        return reuse_patches_on_gpu(*arguments, capacity=2)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(patch_reuse, "reuse_patches", limited)
        output = conv(images)
    states = seen[0].hitmap.states
    assert int((states == HitState.MAU.value).sum()) == 2 and conv.reuse.counts.mnu > 0
    exact = (states == HitState.MNU.value).view(2, 1, 6, 7).expand_as(output)
    dense = F.conv2d(images, conv.weight, conv.bias, padding=1)
    torch.testing.assert_close(output[exact], dense[exact], rtol=1e-4, atol=1e-4)


@interpreted
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # NumPy's, in the interpreter
def test_what_overflowed_in_float16_stays_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    on_gpus_way(monkeypatch)
    conv = layer(padding=1).half()
    images = torch.ones(1, 3, 4, 4, dtype=torch.float16)
    images[0, 0, 1, 1] = float("inf")
    conv.reuse.error_due = False
    assert not bool(conv(images)[0, :, :3, :3].isfinite().all())


@interpreted
def test_a_layer_that_does_not_count_never_asks_the_device(
    photographs: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_gpus_way(monkeypatch)
    images, conv = photograph(photographs).requires_grad_(), layer(padding=1)
    conv.reuse.counting = False
    with Recorded() as recorded:
        conv(images).sum().backward()
    assert len(recorded.calls) > 10
    conv.reuse.counting = True
    with pytest.raises(AssertionError, match="waits for the device"), Recorded():
        conv(images)


@interpreted
def test_another_dtype_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    on_gpus_way(monkeypatch)
    with pytest.raises(ValueError, match=r"images were torch.float64, but GPU kernels take float32"):
        layer().double()(torch.zeros(1, 3, 4, 4, dtype=torch.float64))


def test_a_layer_without_triton_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    on_gpus_way(monkeypatch)
    monkeypatch.setattr(gpu_device, "find_spec", lambda _: None)
    with pytest.raises(MercuricError, match="needs Triton, which is not installed: pip install triton"):
        layer()(torch.zeros(1, 3, 4, 4))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_layer_on_a_gpu_takes_this_way(photographs: Tensor) -> None:
    images, conv = photograph(photographs), layer(padding=1)
    expected = conv(images)
    torch.testing.assert_close(conv.cuda()(images.cuda()).cpu(), expected, rtol=1e-2, atol=1e-2)
