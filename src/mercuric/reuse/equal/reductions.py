"""How is a map reduced: over an image's positions, or over a row's channels?"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mercuric.reuse.equal.image_statistics import even_maxima, image_averages, image_norms, image_totals
from mercuric.reuse.equal.kernels import expand
from mercuric.reuse.equal.pointwise import functions
from mercuric.reuse.equal.shared_tensor import HANDLERS
from mercuric.reuse.equal.table import Table, table_of

_OF_IMAGES: dict[str, Callable[[Table], Tensor]] = {
    "mean": image_averages,
    "sum": image_totals,
    "amax": even_maxima,
    "norm": image_norms,
}
_OF_CHANNELS = ("mean", "sum", "amax", "amin", "var", "std", "norm", "prod", "logsumexp", "argmax", "argmin")
_ALONG = ("softmax", "log_softmax", "softmin", "glu", "cumsum")


def reduce(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Over all positions of an image, a plain tensor; over the channels, a row's own number."""
    table = table_of(args[0])
    if table is None or table.flat or len(args) > 2 or not table.rows.is_floating_point():
        return NotImplemented
    dims = _dimensions(table, args[1] if len(args) > 1 else kwargs.get("dim", kwargs.get("axis")))
    keep = bool(kwargs.get("keepdim", False))
    rest = {name: value for name, value in kwargs.items() if name not in ("dim", "axis", "keepdim")}
    if dims is None or rest.pop("out", None) is not None:
        return NotImplemented
    if dims == {table.channel}:
        rows = func(table.rows, dim=1, keepdim=True, **rest)
        return table.with_rows(rows) if keep else expand(rows, table.classes.ids)[..., 0]
    over_images = _OF_IMAGES.get(func.__name__)
    if over_images is None or table.channel == 0 or dims != set(range(1, len(table.shape))) - {table.channel}:
        return NotImplemented
    if not _is_plain(func, table.rows, rest):
        return NotImplemented
    vectors = over_images(table)
    if not keep:
        return vectors
    return vectors.view([1 if dim in dims else size for dim, size in enumerate(table.shape)])


def along(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A function along the channels, of each row by itself."""
    table = table_of(args[0])
    if table is None or table.flat or len(args) > 2 or kwargs.get("out") is not None:
        return NotImplemented
    if _dimensions(table, args[1] if len(args) > 1 else kwargs.get("dim")) != {table.channel}:
        return NotImplemented
    named = {name: value for name, value in kwargs.items() if name != "dim"}
    return table.with_rows(func(table.rows, dim=1, **named))


def normalize(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Rows of length 1."""
    table = table_of(args[0])
    if table is None or table.flat or kwargs.get("out") is not None:
        return NotImplemented
    if _dimensions(table, args[2] if len(args) > 2 else kwargs.get("dim", 1)) != {table.channel}:
        return NotImplemented
    p = args[1] if len(args) > 1 else kwargs.get("p", 2.0)
    return table.with_rows(func(table.rows, p, 1, kwargs.get("eps", 1e-12)))


def _dimensions(table: Table, dim: Any) -> set[int] | None:
    """Those that a function is asked to go along; None for what PyTorch may refuse."""
    dims, count = dim if isinstance(dim, (tuple, list)) else (dim,), len(table.shape)
    if not all(isinstance(one, int) and -count <= one < count for one in dims):
        return None
    found = {one % count for one in dims}
    return found if len(found) == len(dims) else None


def _is_plain(func: Any, rows: Tensor, rest: dict[str, Any]) -> bool:
    """Whether no option is asked for, nor another dtype by autocast."""
    if any(value is not None and (name, value) not in _DEFAULTS for name, value in rest.items()):
        return False
    kept: bool = func(rows[:1], dim=1).dtype == rows.dtype
    return kept


_DEFAULTS = (("p", "fro"), ("p", 2), ("p", 2.0))
for _name in (*_OF_IMAGES, *_OF_CHANNELS):
    HANDLERS.update(dict.fromkeys((getattr(torch, _name), getattr(Tensor, _name)), reduce))
for _name in _ALONG:
    HANDLERS.update(dict.fromkeys(functions(_name), along))
HANDLERS[F.normalize] = normalize
