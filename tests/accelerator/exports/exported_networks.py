"""Networks with every kind of product, and what is found of them."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mercuric.accelerator.engines.dense_layer import layer_calls
from mercuric.accelerator.exports.product import ExportedProduct, TrainingProducts
from mercuric.reuse import Alike
from mercuric.trace.forward_pass import Inputs
from mercuric.trace.layer_call import dense_call
from mercuric.trace.network_calls import NetworkCalls
from mercuric.trace.workload import Workload, read_workloads


class Mixed(nn.Module):
    """Strided, dilated, grouped, depthwise, pointwise, transposed, functional convolutions; attention."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, (3, 5), stride=2, padding=(1, 2))
        self.grouped = nn.Conv2d(8, 12, 3, padding=1, groups=2)
        self.depthwise = nn.Conv2d(12, 12, 3, padding=1, groups=12)
        self.dilated = nn.Conv2d(12, 8, 3, padding=2, dilation=2)
        self.point = nn.Conv2d(8, 8, 1, stride=2)
        self.up = nn.ConvTranspose2d(8, 4, 2, stride=2)
        self.kernel = nn.Parameter(torch.randn(8, 4, 3, 3))
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.head = nn.Linear(8, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.up(self.point(self.dilated(self.depthwise(self.grouped(self.stem(x))).relu())))
        rows = F.conv2d(x, self.kernel, padding=1).flatten(2).mT
        return self.head(self.attention(rows, rows, rows, need_weights=False)[0].mean(1))


def mixed(images: int = 2) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(0)
    return Mixed(), torch.randn(images, 3, 12, 12)


def dense_products(model: nn.Module, inputs: Inputs, training: bool = True) -> list[ExportedProduct]:
    found = TrainingProducts(layer_calls(model, inputs), training)
    for workload in read_workloads(model, inputs):
        found.add(dense_call(workload))
    return found.products


def reuse_products(model: nn.Module, inputs: Tensor, bits: int = 8) -> list[ExportedProduct]:
    found = TrainingProducts(layer_calls(model, inputs), reuse=True)
    NetworkCalls(model, [inputs], Alike.paper(bits=bits)).tell(found.add)
    return found.products


def step_macs(workloads: list[Workload]) -> int:
    """Forward, dW, and dO where it is needed."""
    return sum(one.macs * (3 if one.needs_input_gradient else 2) for one in workloads)
