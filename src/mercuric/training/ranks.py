"""How do several processes train one network, each on its share of every batch?

``torchrun`` starts them. A rank computes the loss of its share and its gradients, which are summed over the
ranks, weighted so that they are those of the whole batch: all ranks take the same steps. Without it, all of
this does nothing.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
import torch.distributed as dist
from torch import Tensor, nn

from mercuric.errors import ArgumentError
from mercuric.reuse.distributed import alone, summed

_LONGEST_WAIT = timedelta(hours=12)
"""For another rank, as while it tests by itself."""


@contextmanager
def joined() -> Iterator[int]:
    """This process's rank among those that ``torchrun`` started, which train together within the block.

    Raises:
        ValueError: another backend than that of the device was built into PyTorch.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1 or dist.is_initialized():
        yield rank()
        return
    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    dist.init_process_group("nccl" if cuda else "gloo", timeout=_LONGEST_WAIT)
    try:
        yield rank()
    finally:
        dist.destroy_process_group()


def rank() -> int:
    """Of this process: 0 writes the run's folder."""
    return 0 if alone() else dist.get_rank()


def ranks() -> int:
    """How many train together."""
    return 1 if alone() else dist.get_world_size()


@contextmanager
def own_folder(folder: Path) -> Iterator[Path]:
    """The run's folder for rank 0; for others a temporary one, with what a run goes on from in it."""
    if rank() == 0:
        yield folder
        return
    with TemporaryDirectory(prefix="mercuric-") as name:
        copy = Path(name) / folder.name
        for path in (folder / "metrics.jsonl", *(folder / "checkpoints").glob("[!.]*")):
            if path.is_file():
                link = copy / path.relative_to(folder)
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(path.resolve())
        yield copy


def share(indices: Tensor) -> Tensor:
    """This rank's part of a batch, or of a test.

    Args:
        indices: (B,) int64: all of it.
    """
    return indices[rank() :: ranks()]


def require_shares(batch_size: int) -> None:
    """Refuse batches of which some rank has nothing.

    Raises:
        ValueError: there are more ranks than examples in a batch.
    """
    if batch_size < ranks():
        raise ArgumentError(f"batch_size was {batch_size}, but must be at least the {ranks()} processes")


def backward(model: nn.Module, loss: Tensor, weight: Callable[[], int]) -> float:
    """Let every rank have the gradients of the whole batch's mean loss; returns that loss.

    Where it is not finite, there are no gradients.

    Args:
        model: whose parameters get them.
        loss: a scalar, the mean of this rank's share.
        weight: says of how much it is the mean.
    """
    mean, part = float(loss.detach()), 1.0
    if not alone():
        total = summed(torch.tensor([mean * weight(), weight()], dtype=torch.float64))
        mean, part = float(total[0] / total[1]), weight() / float(total[1])
    if isfinite(mean):
        (loss if alone() else loss * part).backward()  # type: ignore[no-untyped-call]
        _sum_gradients(model)
    return mean


def _sum_gradients(model: nn.Module) -> None:
    if alone():
        return
    kinds: dict[tuple[torch.dtype, torch.device], list[nn.Parameter]] = {}
    for parameter in model.parameters():
        if parameter.requires_grad:
            kinds.setdefault((parameter.dtype, parameter.device), []).append(parameter)
    for parameters in kinds.values():
        own = [torch.zeros_like(one) if one.grad is None else one.grad for one in parameters]
        total = torch.cat([one.reshape(-1) for one in own])
        dist.all_reduce(total)
        parts = torch.split(total, [one.numel() for one in own])
        for parameter, part in zip(parameters, parts, strict=True):
            if parameter.grad is not None or part.any():  # what no rank used stays without a gradient
                parameter.grad = part.view_as(parameter).clone(memory_format=torch.preserve_format)


def same_everywhere(model: nn.Module) -> None:
    """Give every rank rank 0's parameters and buffers."""
    if alone():
        return
    with torch.no_grad():
        for tensor in (*model.parameters(), *model.buffers()):
            whole = tensor.contiguous()
            dist.broadcast(whole, 0)
            tensor.copy_(whole)
