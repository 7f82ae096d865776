"""Which vectors of a model's input are equal?

The only place where values are looked at: behind it, which windows are equal follows from the geometry of
the layers alone.
"""

import threading
from collections import defaultdict
from collections.abc import Hashable
from dataclasses import is_dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses import FakeTensor
from torch.autograd import forward_ad
from torch.utils._pytree import tree_map

from mercuric.reuse.equal.classes import Classes
from mercuric.reuse.equal.config import Equal
from mercuric.reuse.equal.expansion import dense
from mercuric.reuse.equal.kernels import Window, image_classes, vector_classes, window_classes
from mercuric.reuse.equal.late_gradients import given_out
from mercuric.reuse.equal.pass_record import Functions, PassRecord, is_recomputed
from mercuric.reuse.equal.patience import Patience
from mercuric.reuse.equal.plan import Plan
from mercuric.reuse.equal.shared_tensor import SharedTensor
from mercuric.reuse.equal.speed import clock, measured
from mercuric.reuse.equal.table import share_given

HOPELESS = 0.97
"""An input is left alone where more than this share of the 3 x 3 windows in a sample of its lines differ."""
_BAND, _EVERY, _IMAGES = 8, 16, 32  # lines of a band, one line in how many, and about how many images
_GOLDEN = 0.618034  # its multiples fall everywhere


class Look:
    """A hook before and after a model's forward pass: shared tensors go in, plain ones come out.

    Args:
        config: which vectors are equal.
        sequences: whether (N, C, L) is what layers read, rather than (N, L, C).

    Attributes:
        range: lowest and highest number of the first batch, where ``levels`` are asked for.
        found: what the last look said; "" where equal vectors were found.
        record: of the last pass.
        plan: what layers were like when they last went by classes.
        functions: products that the model calls as functions.
    """

    def __init__(self, config: Equal, sequences: bool) -> None:
        self.config, self.sequences = config, sequences
        self.range: tuple[float, float] | None = None
        self.found = "the model itself was not called"
        self.record = PassRecord()
        self.plan = Plan()
        self.functions: Functions | None = None
        self._patience: dict[Hashable, Patience] = defaultdict(Patience)
        self._kind: Hashable = None
        self._timed, self._begun, self._measured = 0, 0.0, 0

    def attach(self, module: nn.Module) -> None:
        """Look before each forward pass of a module."""
        module.register_forward_pre_hook(Before(self), with_kwargs=True)
        module.register_forward_hook(After(self), always_call=True)

    def begin(self, kind: Hashable, channels_last: bool, timed: int = 0) -> None:
        """A pass of the model begins.

        Args:
            kind: what passes have in common of which one may pay where another doesn't: a player's, of one
                state, and its learner's.
            channels_last: whether it is given images in this format.
            timed: numbers of its input, where it ends with the forward pass, and on a processor, so that its
                time is known then; else 0.
        """
        self._kind, self._timed, self._begun = kind, timed, _now()
        self._measured = measured.cache_info().misses
        if is_recomputed():
            looked, decided = self.record.looked, self.record.decided
        else:
            looked, decided = self._patience[kind].looks, {}
        self.record = PassRecord(channels_last, looked, decided, self.functions)
        self.found = "the model was given no tensor of vectors by itself"

    def end(self, failed: bool = False) -> None:
        """It has ended."""
        if self.config.most is None and not is_recomputed():
            self._patience[self._kind].learn(self.record, None if failed else self._seconds())

    def _seconds(self) -> float | None:
        """Of a whole pass, a number of its input, for images may be of different sizes.

        None where it is not known yet, or layers were measured meanwhile.
        """
        if not self._timed or measured.cache_info().misses > self._measured:
            return None
        return (_now() - self._begun) / self._timed

    def shared(self, value: Any) -> Any:
        """A tensor of the input as a shared one, where that may pay."""
        if not isinstance(value, Tensor) or isinstance(value, SharedTensor):
            return value
        channel = self._channel(value)
        if channel is None:
            return value
        self.found = _why_not(value) or ""
        if self.found:
            return value
        with torch.no_grad():
            value = self._rounded(value)
            if not self.record.looked:
                self.found = self._patience[self._kind].why_not
                return value
            now = clock(value.device)
            begun = now()
            classes, rows = self._looked_up(value.movedim(channel, -1))
            self.record.gained -= now() - begun
        if classes is None or rows is None:
            self.found = "nothing equal in the input"
            return value
        return share_given(value, rows, classes, channel, self.record)

    def _looked_up(self, vectors: Tensor) -> tuple[Classes | None, Tensor | None]:
        """Those of (..., C), and a row of each; None where there is nothing equal."""
        classes = None if _is_hopeless(vectors) else _classes(vectors, self.config.scope == "image")
        if classes is None:
            return None, None
        return classes, vectors[torch.unravel_index(classes.first, vectors.shape[:-1])]

    def _channel(self, value: Tensor) -> int | None:
        """Where a tensor has its channels; None for one that no layer reads as vectors."""
        if not (value.is_floating_point() or (value.dtype == torch.uint8 and value.dim() > 2)):
            return None
        if value.dim() == 4:
            return 3 if value.shape[3] <= 4 < value.shape[1] else 1
        if value.dim() == 3:
            return 1 if self.sequences else 2
        return 1 if value.dim() == 2 else None

    def _rounded(self, value: Tensor) -> Tensor:
        if self.config.levels is None or not value.is_floating_point():
            return value
        if self.range is None:
            self.range = (float(value.min()), float(value.max()))
        low, high = self.range
        step = (high - low) / (self.config.levels - 1)
        return value if not step else ((value - low) / step).round().mul_(step).add_(low)


class Before:
    """Before a forward pass."""

    def __init__(self, look: Look) -> None:
        self._look = look

    def __call__(
        self, _: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        """What is looked at is passed on as shared tensors; within another pass of the model, nothing is."""
        if torch.compiler.is_compiling():
            self._look.found = "the model is compiled"
            return None
        inside = _inside()
        inside.append(self._look)
        if inside.count(self._look) > 1:
            return None
        images = next((each for each in args if isinstance(each, Tensor) and each.dim() == 4), None)
        kind = torch.is_grad_enabled(), None if images is None else len(images)
        channels_last = images is not None and _why_not(images) is None and _is_channels_last(images)
        timed = 0 if torch.is_grad_enabled() else _numbers_on_a_processor((*args, *kwargs.values()))
        self._look.begin(kind, channels_last, timed)
        args = tuple(self._look.shared(value) for value in args)
        return args, {name: self._look.shared(value) for name, value in kwargs.items()}


class After:
    """After a forward pass."""

    def __init__(self, look: Look) -> None:
        self._look = look

    def __call__(self, _: nn.Module, _args: Any, output: Any) -> Any:
        """The outermost pass gives plain tensors."""
        if torch.compiler.is_compiling():
            return output
        inside = _inside()
        if self._look in inside:
            inside.remove(self._look)
        if self._look in inside:
            return output
        plain = _plain(output)
        self._look.end(failed=output is None)
        return plain


class Plain:
    """Before a layer that is left dense."""

    def __call__(self, _: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """It is given plain tensors."""
        return tuple(
            dense(value, "a layer left dense") if isinstance(value, SharedTensor) else value for value in args
        )


def leave_dense(layer: nn.Module) -> None:
    """Let a layer compute densely whatever it is given."""
    layer.register_forward_pre_hook(Plain())


_threads = threading.local()


def _inside() -> list[Look]:
    """The looks whose passes run in this thread."""
    if not hasattr(_threads, "inside"):
        _threads.inside = []
    inside: list[Look] = _threads.inside
    return inside


def _plain(output: Any) -> Any:
    """Without shared tensors, also in the fields of dataclasses, which are the caller's own objects."""
    if isinstance(output, Tensor):
        return given_out(output)
    if is_dataclass(output) and not isinstance(output, type | dict):
        for name, value in vars(output).items():
            plain = _plain(value)
            if plain is not value:
                object.__setattr__(output, name, plain)
        return output
    return tree_map(
        lambda value: _plain(value) if isinstance(value, Tensor) or is_dataclass(value) else value, output
    )


def _why_not(value: Tensor) -> str | None:
    if value.requires_grad:
        return "the input requires a gradient"
    if torch._C._get_tracing_state() is not None or isinstance(value, FakeTensor):
        return "the pass is recorded"
    if torch._C._functorch.peek_interpreter_stack() is not None or forward_ad._current_level >= 0:
        return "the pass is within a transform of torch.func, or of forward-mode differentiation"
    if type(value) not in (Tensor, nn.Parameter) or torch._C._functorch.is_functorch_wrapped_tensor(value):
        return f"the input is a {type(value).__name__}"
    if value.is_meta or value.layout != torch.strided or not value.numel():
        return "the input has no numbers"
    return None


def _numbers_on_a_processor(values: tuple[Any, ...]) -> int:
    """How many a pass is given; 0 where some lie elsewhere."""
    tensors = [value for value in values if isinstance(value, Tensor)]
    return sum(one.numel() for one in tensors) if all(one.device.type == "cpu" for one in tensors) else 0


def _now() -> float:
    return clock(torch.device("cpu"))()


def _is_channels_last(images: Tensor) -> bool:
    return images.is_contiguous(memory_format=torch.channels_last) and not images.is_contiguous()


def _is_hopeless(vectors: Tensor) -> bool:
    """Whether a sample of lines holds hardly any window twice."""
    if vectors.dim() != 4 or min(vectors.shape[1:3]) < 2 * _BAND:
        return False
    bands = _bands(vectors)
    table = image_classes(bands.movedim(-1, 1))
    assert table is not None  # noqa: S101 - nothing was to be given up
    windows = bands.shape[0] * (bands.shape[1] - 2) * (bands.shape[2] - 2)
    return window_classes(table.ids, Window((3, 3)), int(HOPELESS * windows)) is None


def _bands(vectors: Tensor) -> Tensor:
    """Some lines of some images (N, H, W, C), of each at other heights: (bands, lines, W, C)."""
    lines, device = vectors.shape[1], vectors.device
    images = torch.arange(0, len(vectors), max(1, len(vectors) // _IMAGES), device=device)
    count = max(1, lines // (_BAND * _EVERY))
    offsets = images * _GOLDEN % 1
    places = (torch.arange(count, device=device) + offsets[:, None]) / count
    starts = (places * (lines - _BAND)).long()
    rows = starts[..., None] + torch.arange(_BAND, device=device)
    return vectors[images[:, None, None], rows].flatten(0, 1)


def _classes(vectors: Tensor, per_image: bool) -> Classes | None:
    if vectors.dim() == 4:
        table = image_classes(vectors.movedim(-1, 1), per_image=per_image)
    else:
        scope = vectors[0].numel() // vectors.shape[-1] if per_image else 0
        flat = vectors.reshape(-1, vectors.shape[-1])
        table = vector_classes(flat, most=int(HOPELESS * len(flat)), scope=scope)
    if table is None:
        return None
    return Classes(table.ids.view(vectors.shape[:-1]), table.classes, table.first, of_image=per_image)
