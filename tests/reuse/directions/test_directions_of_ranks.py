"""Do the ranks of a distributed training get the same directions, and keep the same weights?"""

import json
import math
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn.functional as F
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from mercuric import Directions, restore_, reuse_

CONFIG = Directions(rank=4, multiple=1)


def trained(rank: int, folder: str) -> None:
    """Three steps of one rank; the first batch of rank 1 holds NaN."""
    dist.init_process_group("gloo", init_method=f"file://{folder}/ranks", rank=rank, world_size=2)
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16 * 36, 24))
    handle = reuse_(model, CONFIG)
    parallel = DistributedDataParallel(model)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    images = torch.randn(12, 3, 8, 8, generator=torch.Generator().manual_seed(rank))
    wrong = images.clone()
    wrong[3, 0, 3, 3] = math.nan if rank else 0.0
    parallel(wrong)
    learnt = [state.principal.ready for state in handle.layers.values()]
    for _ in range(3):
        optimizer.zero_grad()
        loss = F.cross_entropy(parallel(images), torch.arange(12))
        loss.backward()
        optimizer.step()
        handle.step(loss.detach())
    with torch.no_grad():
        computed = model.eval()(images)
        restore_(model)
        left = float((model(images) - computed).norm() / computed.norm())
    weights = torch.cat([parameter.detach().flatten() for parameter in model.parameters()])
    found = {"learnt": learnt, "computes": handle.report()["computes"].tolist(), "left": left}
    Path(folder, f"{rank}.json").write_text(json.dumps(found))
    torch.save(weights, Path(folder, f"{rank}.pt"))
    dist.destroy_process_group()


def test_ranks_agree_and_one_ranks_nan_teaches_none(tmp_path: Path) -> None:
    mp.spawn(trained, args=(str(tmp_path),), nprocs=2)
    found = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2)]
    for one in found:
        assert one["learnt"] == [False, False]
        assert one["computes"] == ["directions", "directions"]
        assert one["left"] < 1e-5
    assert torch.equal(*(torch.load(tmp_path / f"{rank}.pt") for rank in range(2)))
