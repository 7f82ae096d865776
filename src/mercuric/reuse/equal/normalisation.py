"""How are rows normalised: by all positions, by an image's, or each for itself?"""

from collections.abc import Sequence
from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mercuric.reuse.equal.image_statistics import of_images
from mercuric.reuse.equal.kernels import class_normalisation
from mercuric.reuse.equal.shared_tensor import HANDLERS, SharedTensor
from mercuric.reuse.equal.table import Table, table_of
from mercuric.reuse.precision import HALF, accurate


def batch_norm(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """By the statistics of all positions, which classes have as often as they have positions."""
    return _batch_norm(func, *args, **kwargs)


def group_norm(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """By the statistics of an image's groups of channels: classes are told apart by their image."""
    return _group_norm(func, *args, **kwargs)


def instance_norm(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
    """By the statistics of an image's channels."""
    return _instance_norm(*args, **kwargs)


def layer_norm(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Each row for itself, where it is what is normalised."""
    table = table_of(args[0])
    shape = args[1] if len(args) > 1 else kwargs.get("normalized_shape", ())
    if table is None or table.flat or table.channel != len(table.shape) - 1 or len(shape) != 1:
        return NotImplemented
    return table.with_rows(func(table.rows, *args[1:], **kwargs))


def local_response_norm(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """By the channels beside each: a row is an image of one pixel."""
    table = table_of(args[0])
    if table is None or table.flat or table.channel != 1 or len(table.shape) < 3:
        return NotImplemented
    return table.with_rows(func(table.rows[:, :, None], *args[1:], **kwargs)[:, :, 0])


def prelu(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A slope for all, or one a channel."""
    table, weight = table_of(args[0]), args[1] if len(args) > 1 else kwargs["weight"]
    if table is None or isinstance(weight, SharedTensor):
        return NotImplemented
    if weight.numel() != 1 and (table.flat or table.channel != 1):
        return NotImplemented
    return table.with_rows(func(table.rows, weight))


def _batch_norm(
    func: Any,
    x: Any,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    table = table_of(x)
    given = (running_mean, running_var, weight, bias)
    if table is None or table.flat or table.channel != 1 or not _fit(table.rows, given):
        return NotImplemented
    if not training:
        return table.with_rows(func(table.rows, *given, False, momentum, eps))
    positions = table.classes.positions
    if positions < 2 or (running_mean is None) != (running_var is None):
        return NotImplemented
    rows, mean, variance = class_normalisation(accurate(table.rows), table.classes.counts, weight, bias, eps)
    if running_mean is not None and running_var is not None:
        _follow(running_mean, mean, momentum)
        _follow(running_var, variance * (positions / (positions - 1)), momentum)
    return table.with_rows(rows.to(table.rows.dtype))


def _group_norm(
    func: Any,
    x: Any,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Any:
    table = table_of(x)
    if table is None or table.flat or table.channel != 1 or not _fit(table.rows, (weight, bias)):
        return NotImplemented
    if num_groups < 1 or table.shape[1] % num_groups or prod(table.shape[1:]) // num_groups < 2:
        return NotImplemented
    if len(table.shape) == 2:
        return table.with_rows(func(table.rows, num_groups, weight, bias, eps))
    return _by_images(table, num_groups, weight, bias, eps)


def _instance_norm(
    x: Any,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    if not use_input_stats:
        return _batch_norm(F.batch_norm, x, running_mean, running_var, weight, bias, False, momentum, eps)
    table = table_of(x)
    if table is None or table.flat or table.channel != 1 or not _fit(table.rows, (weight, bias)):
        return NotImplemented
    if running_mean is not None or running_var is not None or table.classes.ids[0].numel() < 2:
        return NotImplemented
    return _by_images(table, table.shape[1], weight, bias, eps)


def _by_images(table: Table, groups: int, weight: Tensor | None, bias: Tensor | None, eps: float) -> Any:
    if table.rows.dtype in HALF and torch.is_autocast_enabled(table.rows.device.type):
        return NotImplemented  # what autocast makes of it depends on the device
    classes, rows, image = of_images(table)
    number = len(table.classes.ids)
    grouped = rows.double().view(len(rows), groups, -1)
    shares = classes.counts.double()[:, None] * (number / classes.positions)

    def averages(values: Tensor) -> Tensor:
        zeros = values.new_zeros(number, groups)
        return zeros.index_add(0, image, values.mean(2) * shares)[image][:, :, None]

    centred = grouped - averages(grouped)
    normalised = (centred * (averages(centred.square()) + eps).rsqrt()).flatten(1).to(accurate(rows).dtype)
    if weight is not None:
        normalised = normalised * weight
    if bias is not None:
        normalised = normalised + bias
    return table.with_rows(normalised.to(rows.dtype), classes)


def _follow(running: Tensor, new: Tensor, momentum: float) -> None:
    with torch.no_grad():
        running.copy_((1 - momentum) * running.to(new.dtype) + momentum * new)


def _fit(rows: Tensor, given: Sequence[Tensor | None]) -> bool:
    """Whether statistics and parameters are plain tensors, of a dtype that PyTorch takes beside the rows'."""
    taken = (rows.dtype, torch.float32) if rows.dtype in HALF else (rows.dtype,)
    return rows.is_floating_point() and all(
        value is None or (not isinstance(value, SharedTensor) and value.dtype in taken) for value in given
    )


HANDLERS.update(
    {
        F.batch_norm: batch_norm,
        F.group_norm: group_norm,
        F.instance_norm: instance_norm,
        F.layer_norm: layer_norm,
        F.rms_norm: layer_norm,
        F.local_response_norm: local_response_norm,
        F.prelu: prelu,
        torch.prelu: prelu,
        torch.Tensor.prelu: prelu,
    }
)
