"""How do the ranks of one training decide alike?"""

import json
from collections.abc import Mapping

import torch
import torch.distributed as dist
from torch import Tensor

from mercuric.errors import ArgumentError
from mercuric.reuse.judge.judge import Cost

_LONGEST_SHOWN = 60


def agree(loss: float, costs: Mapping[str, Cost | None]) -> tuple[float, dict[str, Cost | None]]:
    """The mean loss and the summed costs over all ranks, the same on every rank.

    One all-reduce of 1 + 3 float64 numbers a layer. Without ``torch.distributed``, or alone, the
    arguments come back as they are.

    Args:
        loss: mean loss of this rank's batch.
        costs: an entry a layer, the same layers on every rank; None where this rank has no cost. A
            layer's sum is over the ranks that have one, None where none has.
    """
    ranks = _ranks()
    if ranks == 1:
        return loss, dict(costs)
    names = sorted(costs)
    numbers = [loss]
    for cost in (costs[name] for name in names):
        numbers += (0.0, 0.0, 0.0) if cost is None else (cost.signatures_and_products, cost.baseline, 1.0)
    summed = torch.tensor(numbers, dtype=torch.float64, device=_device())
    dist.all_reduce(summed)
    total, *rest = summed.tolist()
    triples = zip(names, rest[::3], rest[1::3], rest[2::3], strict=True)
    agreed = {
        name: Cost(with_reuse, without) if known else None for name, with_reuse, without, known in triples
    }
    return total / ranks, {name: agreed[name] for name in costs}


def summed(values: Tensor) -> Tensor:
    """The sum of ``values`` over all ranks, the same on every rank; as they are without others."""
    if _ranks() == 1:
        return values
    total = values.to(_device(), copy=True)
    dist.all_reduce(total)
    return total.to(values.device)


def alone() -> bool:
    """Whether there is no other rank."""
    return _ranks() == 1


def require_same(description: Mapping[str, object]) -> None:
    """Make sure that every rank describes itself alike; without ``torch.distributed`` do nothing.

    Args:
        description: what must be the same (configuration, layers); values are compared as JSON, or as
            text where JSON has no form for them.

    Raises:
        ValueError: a value differs; the same sentence on every rank.
    """
    if _ranks() == 1:
        return
    described = [json.loads(text) for text in _gather(json.dumps(description, default=str))]
    keys = dict.fromkeys(key for one in described for key in one)
    values = {key: [_text(one[key]) if key in one else "missing" for one in described] for key in keys}
    different = [_difference(key, texts) for key, texts in values.items() if len(set(texts)) > 1]
    if different:
        raise ArgumentError(f"all ranks must be set up alike, but {'; '.join(different)}")


def _text(value: object) -> str:
    # A rank that went on from JSON may hold the same keys in another order.
    return json.dumps(value, sort_keys=True)


def _difference(key: str, texts: list[str]) -> str:
    holders: dict[str, list[str]] = {}
    for rank, text in enumerate(texts):
        holders.setdefault(text, []).append(str(rank))
    parts = [f"{_shown(text)} on {_named(ranks)}" for text, ranks in holders.items()]
    return f"{key} was {', '.join(parts)}"


def _shown(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _named(ranks: list[str]) -> str:
    return f"rank {ranks[0]}" if len(ranks) == 1 else f"ranks {' '.join(ranks)}"


def _gather(text: str) -> list[str]:
    # Not all_gather_object, which pickles.
    own = torch.tensor(list(text.encode()), dtype=torch.uint8, device=_device())
    length = torch.tensor([len(own)], device=own.device)
    lengths = _all_gather(length)
    longest = int(max(lengths))
    padded = torch.nn.functional.pad(own, (0, longest - len(own)))
    return [
        bytes(other[: int(size)].tolist()).decode()
        for other, size in zip(_all_gather(padded), lengths, strict=True)
    ]


def _all_gather(tensor: Tensor) -> list[Tensor]:
    gathered = [torch.empty_like(tensor) for _ in range(_ranks())]
    dist.all_gather(gathered, tensor)
    return [one.cpu() for one in gathered]


def _ranks() -> int:
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def _device() -> torch.device:
    """A device whose tensors the process group moves: the CPU with gloo, this rank's GPU with nccl."""
    if "cpu:" in dist.get_backend_config():
        return torch.device("cpu")
    return torch.device("cuda", torch.cuda.current_device())
