"""What do the ranks of one training learn and decide? Started by torchrun: ddp_training.py FOLDER CASE."""

import json
import os
import sys
from pathlib import Path

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from mercuric import AdaptationConfig, ReuseConfig, reuse_
from mercuric.reuse import Cost, Observation


class Rows(nn.Module):
    """A convolution, attention over the image's rows, and a dense classifier: no vector leaves its image."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.convolution = nn.Conv2d(3, 4, 3, padding=1)
        self.attention = nn.TransformerEncoderLayer(64, 2, 48, 0.0, batch_first=True)
        self.classify = nn.Linear(64, 4)

    def forward(self, images: Tensor) -> Tensor:
        rows = F.relu(self.convolution(images), inplace=True).permute(0, 2, 1, 3).flatten(2)
        result: Tensor = self.classify(self.attention(rows).mean(1))
        return result


def cost(observation: Observation) -> Cost:
    """The convolution loses on rank 1's images, and over all ranks."""
    losing = observation.layer == "convolution" and os.environ.get("RANK", "1") == "1"
    return Cost(5.0, 1.0) if losing else Cost(1.0, 2.0)


def train(rank: int, ranks: int, bits: int = 12, backward: str = "exact") -> dict[str, object]:
    """Three steps on this rank's share of eight images."""
    images, labels = torch.load(Path(sys.argv[1]) / "batch.pt", weights_only=True)
    adaptation = AdaptationConfig(patience=1, tolerance=0.99, stoppage=2)
    network = Rows()
    handle = reuse_(
        network,
        ReuseConfig(bits=bits, adaptation=adaptation, backward=backward),
        filter_fn=lambda _, name: name != "classify",
        cost=cost,
    )
    model = DistributedDataParallel(network) if ranks > 1 else network
    optimizer = torch.optim.SGD(network.parameters(), 0.05, momentum=0.9)
    for _ in range(3):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images[rank::ranks]), labels[rank::ranks])
        loss.backward()
        optimizer.step()
        handle.step(loss.detach())
    return {
        "weights": [value.tolist() for value in network.parameters()],
        "changes": [(change.step, change.layer, change.after) for change in handle.changes],
        "on": {name: state.on for name, state in handle.layers.items()},
        "hits": int(handle.report()["HIT"].sum()),
    }


def main() -> None:
    """Write FOLDER/rank.json."""
    dist.init_process_group("gloo")
    rank = dist.get_rank()
    told: dict[str, object] = {}
    for backward in ("exact", "signature"):
        told[backward] = train(rank, 2, backward=backward)
    try:
        train(rank, 2, bits=12 + rank)
    except ValueError as error:
        told["refused"] = str(error)
    (Path(sys.argv[1]) / f"{rank}.json").write_text(json.dumps(told))
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
