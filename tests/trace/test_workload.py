"""Workloads of real networks, their multiply-accumulates counted another way."""

import pytest
import torch
from torch import Tensor, nn

from mercuric.reuse.vectors import VectorShape
from mercuric.trace.workload import Workload, read_workloads


class OddShapes(nn.Module):
    """Stride, dilation, groups, 1x1, a rectangular kernel, a module called twice, a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2)
        self.norm = nn.BatchNorm2d(8)
        self.dilated = nn.Conv2d(8, 8, 3, dilation=2, padding=2)
        self.grouped = nn.Conv2d(8, 12, (1, 3), groups=4)
        self.pointwise = nn.Conv2d(12, 8, 1)
        self.twice = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.side = nn.Conv2d(3, 2, 5)
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        side = self.side(x / 2).mean((-2, -1))
        y = self.pointwise(self.grouped(self.dilated(self.norm(self.stem(x)).relu())))
        y = self.twice(self.twice(y)).mean((-2, -1))
        return self.head(y) + side.sum()


def dense_macs(model: nn.Module, inputs: Tensor) -> list[int]:
    """Every output element needs one multiplication for each element of its filter."""
    macs: list[int] = []

    def note(module: nn.Module, _: object, output: Tensor) -> None:
        macs.append(output.numel() * module.weight[0].numel())  # type: ignore[index, union-attr, operator]

    hooks = [m.register_forward_hook(note) for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    with torch.no_grad():
        model(inputs)
    for hook in hooks:
        hook.remove()
    return macs


@pytest.mark.parametrize("granularity", ["channel", "patch", 2, 64])
@pytest.mark.parametrize("scope", ["image", "batch"])
@pytest.mark.parametrize("size", [(1, 3, 15, 41), (3, 3, 16, 16)])
def test_macs(granularity: int | str, scope: str, size: tuple[int, ...]) -> None:
    model = OddShapes().eval()
    model.stem, model.side = nn.Conv2d(4, 8, 3, stride=2), nn.Conv2d(4, 2, 5)
    inputs = torch.randn(size[0], 4, *size[2:])
    workloads = read_workloads(model, inputs, granularity, scope)  # type: ignore[arg-type]
    assert [workload.macs for workload in workloads] == dense_macs(model, inputs)


def test_layers_in_order_of_call() -> None:
    workloads = read_workloads(OddShapes(), torch.randn(2, 3, 17, 17))
    assert [(w.layer, w.kind, w.needs_input_gradient) for w in workloads] == [
        ("side", "conv", False),
        ("stem", "conv", False),
        ("dilated", "conv", True),
        ("grouped", "conv", True),
        ("pointwise", "conv", True),
        ("twice", "conv", True),
        ("twice", "conv", True),
        ("head", "linear", True),
    ]
    by_name = {workload.layer: workload.shape for workload in workloads}
    assert by_name["stem"] == VectorShape(
        6, 64, rows=3, elements=3, filters=8, images=2, depth=3, output_rows=8
    )
    assert by_name["grouped"] == VectorShape(
        16, 48, rows=1, elements=3, filters=3, images=2, depth=2, output_rows=8
    )
    assert by_name["pointwise"] == VectorShape(2, 48, rows=1, elements=12, filters=8, images=2, output_rows=8)
    assert by_name["head"] == VectorShape(scopes=1, vectors=2, rows=1, elements=8, filters=5)


def test_unbatched_image() -> None:
    conv = nn.Conv2d(3, 4, 3)
    assert read_workloads(conv, torch.randn(3, 9, 7)) == [
        Workload(
            "Conv2d",
            "conv",
            VectorShape(3, 35, 3, 3, 4, depth=3, output_rows=7),
            False,
            inputs=3 * 9 * 7,
            fresh=1,
        )
    ]


def test_inputs_are_counted_once_and_a_stride_brings_fresh_elements() -> None:
    model = nn.Sequential(
        nn.Conv2d(4, 6, (3, 5), stride=(1, 2)), nn.Conv2d(6, 2, 1, stride=2), nn.Flatten(), nn.Linear(8, 3)
    )
    strided, skipping, linear = read_workloads(model, torch.randn(2, 4, 6, 11), "patch")
    assert (strided.inputs, strided.fresh) == (2 * 4 * 6 * 11, 4 * 2)
    assert (skipping.inputs, skipping.fresh) == (2 * 6 * 2 * 2, 6)
    assert (linear.inputs, linear.fresh) == (2 * 8, 8)


def test_named_and_positional_inputs() -> None:
    class TwoInputs(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.left, self.right = nn.Linear(4, 2), nn.Linear(3, 2)

        def forward(self, a: Tensor, b: Tensor, scale: float = 1.0) -> Tensor:
            return self.left(input=a) + scale * self.right(b)

    a, b = torch.randn(2, 4), torch.randn(2, 3, requires_grad=True)
    named = read_workloads(TwoInputs(), {"a": a, "b": b, "scale": 2.0})
    assert [w.layer for w in named] == ["left", "right"]
    assert not any(w.needs_input_gradient for w in named)
    assert read_workloads(TwoInputs(), (a, b)) == named


@pytest.mark.parametrize("gradients", [torch.no_grad, torch.inference_mode])
def test_the_callers_gradient_mode_changes_nothing(gradients: type[torch.no_grad]) -> None:
    model = OddShapes()
    inputs = torch.randn(1, 3, 15, 15)
    expected = read_workloads(model, inputs)
    with gradients():
        assert read_workloads(model, inputs.clone()) == expected


def test_frozen_layers() -> None:
    """Below the first trained parameter no gradient is needed; all frozen reads as all trained."""
    inputs = torch.randn(1, 3, 15, 15)
    model = OddShapes().requires_grad_(False)
    assert read_workloads(model, inputs) == read_workloads(OddShapes(), inputs)
    assert not any(parameter.requires_grad for parameter in model.parameters())
    model.head.requires_grad_(True)
    assert not any(workload.needs_input_gradient for workload in read_workloads(model, inputs))


def test_the_network_is_left_as_it_was() -> None:
    model = OddShapes()
    model.norm.eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(RuntimeError):
        read_workloads(model, torch.randn(1, 7, 15, 15))
    read_workloads(model, torch.randn(1, 3, 15, 15))
    assert model.training
    assert not model.norm.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not any(module._forward_hooks for module in model.modules())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_transformer_layer_is_read_through_its_modules() -> None:
    encoder = nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, batch_first=True)
    workloads = read_workloads(encoder, torch.randn(2, 5, 8))
    assert [workload.layer for workload in workloads] == [
        "self_attn.in_proj", "self_attn", "self_attn", "self_attn.out_proj", "linear1", "linear2",
    ]  # fmt: skip
    assert workloads[4].shape == VectorShape(2, 5, rows=1, elements=8, filters=16, images=2)


def test_no_layer_to_count() -> None:
    with pytest.raises(ValueError, match=r"model was a ReLU without any layer to count"):
        read_workloads(nn.ReLU(), torch.randn(1))


def test_no_layer_called() -> None:
    class Idle(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.unused = nn.Linear(2, 2)

        def forward(self, x: Tensor) -> Tensor:
            return x

    with pytest.raises(ValueError, match="model was a Idle that called none of its 1 layers"):
        read_workloads(Idle(), torch.randn(1))
