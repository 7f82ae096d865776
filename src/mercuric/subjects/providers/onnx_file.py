"""How is a network had that lies in an ONNX file?"""

import re
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from mercuric.data.arrays import shown_shape
from mercuric.errors import ArgumentError, MercuricError
from mercuric.extras import needed_for
from mercuric.files.regular import require_regular
from mercuric.subjects.providers.provider import (
    Arguments,
    Opened,
    digest,
    finished,
    last_line,
)
from mercuric.zoo import Reads

Shape = tuple[int | None, ...]
"""Of an input; None where the file leaves a dimension open."""


class OnnxFile:
    """``FILE.onnx``, with the file's weights; onnx2pytorch makes modules of its operators."""

    form = "FILE.onnx"

    def has(self, name: str) -> bool:
        """See ``Provider.has``."""
        return name.endswith(".onnx")

    def reads(self, _: str) -> Reads:
        """See ``Provider.reads``."""
        return "images"

    def weights(self, name: str) -> str | None:
        """See ``Provider.weights``."""
        return f"of {name}"

    def open(self, name: str, arguments: Arguments) -> Opened:
        """See ``Provider.open``: reads the file."""
        if arguments:
            raise ArgumentError(f"model_args was {dict(arguments)}, but {name} is made by its file alone")
        path = Path(name).expanduser()
        model = _read(name, path)
        shapes = _inputs(model)
        left_out = _without_counterpart(name, model)
        if left_out:
            warnings.warn(f"{_said(name, left_out)}; what they read is handed on as it is", stacklevel=2)
        first = shapes[0] if shapes else ()
        square = len(shapes) == 1 and len(first) == 4 and first[2] == first[3]
        return Opened(
            lambda purpose: finished(name, _network(name, model, shapes), purpose),
            first[2] if square else None,
            first[0] if first else None,
            lambda: {"file": digest(path)},
        )


def _read(name: str, path: Path) -> Any:
    require_regular(path, "an ONNX file")
    if not path.exists():
        raise MercuricError(f"there is no file {name}")
    with needed_for("FILE.onnx", "onnx"):
        import onnx
    try:
        model = onnx.load(path)
    except Exception as error:
        raise MercuricError(f"{name} can't be read as ONNX: {last_line(error)}") from error
    if not model.graph.node:
        raise MercuricError(f"{name} can't be read as ONNX: it holds no operator")
    return model


def _inputs(model: Any) -> list[Shape]:
    """Those of the graph, without the weights, which older files count among them."""
    weights = {tensor.name for tensor in model.graph.initializer}
    return [
        tuple(
            one.dim_value if one.HasField("dim_value") else None for one in given.type.tensor_type.shape.dim
        )
        for given in model.graph.input
        if given.name not in weights
    ]


def _without_counterpart(name: str, model: Any) -> Counter[str]:
    """Operators that onnx2pytorch has no module for: in ``model`` they become ones that change nothing.

    Raises:
        MercuricError: one of them changes a shape, so that the rest can't go on without it.
    """
    left_out: Counter[str] = Counter()
    changing = []
    while (missing := _first_missing(name, model)) is not None:
        kind = (missing.domain, missing.op_type)
        shown = ".".join(filter(None, kind))
        same = [node for node in model.graph.node if (node.domain, node.op_type) == kind]
        left_out[shown] = len(same)
        if not all(_keeps_shape(model, node) for node in same):
            changing.append(shown)
        for node in same:
            _hand_on(model, node)
    if changing:
        raise MercuricError(
            f"{_said(name, left_out)}; nothing can go on without {', '.join(changing)}, which gives another "
            "shape than it reads"
        )
    return left_out


def _hand_on(model: Any, node: Any) -> None:
    read, called, outputs = _activation(model, node), node.name, list(node.output[:1])
    node.Clear()
    node.op_type, node.name = "Identity", called
    node.input.append(read)
    node.output.extend(outputs)


def _first_missing(name: str, model: Any) -> Any:
    """The first node that can't be converted; None where all can be."""
    converter, done = _onnx2pytorch().convert, 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # It guesses where it knows no operator, and says so by such a warning.
        warnings.simplefilter("error", RuntimeWarning)
        try:
            version = converter.model.get_opset_version(model)
            for _ in converter.operations.convert_operations(model.graph, version):
                done += 1
        except (NotImplementedError, RuntimeWarning):
            return model.graph.node[done]
        except Exception as error:
            raise MercuricError(
                f"{name} can't be converted: {model.graph.node[done].op_type}, {last_line(error)}"
            ) from error
    return None


def _keeps_shape(model: Any, node: Any) -> bool:
    """Whether nothing says that the node's output has another shape than what it reads."""
    import onnx

    read = _activation(model, node)
    if not read or len([one for one in node.output if one]) != 1:
        return False
    inferred = onnx.shape_inference.infer_shapes(model).graph
    known: dict[str, list[Any]] = {
        one.name: [(each.dim_value or each.dim_param) for each in one.type.tensor_type.shape.dim]
        for one in (*inferred.input, *inferred.value_info, *inferred.output)
        if one.type.tensor_type.HasField("shape")
    }
    before, after = known.get(read), known.get(node.output[0])
    return before is None or after is None or before == after


def _activation(model: Any, node: Any) -> str:
    """The node's first input that is no weight."""
    weights = {tensor.name for tensor in model.graph.initializer}
    names: list[str] = [one for one in node.input if one and one not in weights]
    return names[0] if names else str(node.input[0]) if node.input else ""


def _said(name: str, left_out: Mapping[str, int]) -> str:
    total = sum(left_out.values())
    listed = ", ".join(f"{kind} ({count})" for kind, count in sorted(left_out.items()))
    some = f"{total} operators of {name} have" if total > 1 else f"1 operator of {name} has"
    return f"{some} no counterpart in PyTorch: {listed}"


def _network(name: str, model: Any, shapes: Sequence[Shape]) -> nn.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            network: Any = _onnx2pytorch().ConvertModel(model)
    except Exception as error:
        raise MercuricError(f"{name} can't be converted: {last_line(error)}") from error
    _rename(network, model)
    for parameter in network.parameters():
        parameter.data = parameter.data.contiguous()
    network.register_forward_pre_hook(_Declared(name, shapes))
    made: nn.Module = network
    return made


def _rename(network: Any, model: Any) -> None:
    """Call modules as their nodes, in names that files may have."""
    taken: set[str] = set()
    for node in model.graph.node:
        before = network.mapping[node.output[0]]
        base = re.sub(r"\W+", "_", node.name or before).strip("_") or node.op_type
        base = f"{node.op_type}_{base}" if base[0].isdigit() or hasattr(network, base) else base
        after, count = base, 1
        while after in taken or hasattr(network, after):
            count += 1
            after = f"{base}_{count}"
        taken.add(after)
        operation = getattr(network, before)
        delattr(network, before)
        setattr(network, after, operation)
        network.mapping[node.output[0]] = after


class _Declared:
    """Refuses inputs of other shapes than the file declares, which an operator may take in silence."""

    def __init__(self, name: str, shapes: Sequence[Shape]) -> None:
        self._name, self._shapes = name, list(shapes)

    def __call__(self, _: nn.Module, inputs: tuple[Any, ...]) -> None:
        given = [tuple(one.shape) for one in inputs if isinstance(one, Tensor)]
        fits = len(given) == len(self._shapes) and all(map(_fits, given, self._shapes))
        if not fits:
            shown = ", ".join(map(shown_shape, given))
            must = ", ".join(
                shown_shape(["N" if one is None else one for one in shape]) for shape in self._shapes
            )
            raise ArgumentError(f"inputs was {shown}, but {self._name} reads {must}")


def _fits(given: tuple[int, ...], declared: Shape) -> bool:
    return len(given) == len(declared) and all(
        must is None or must == one for one, must in zip(given, declared, strict=True)
    )


def _onnx2pytorch() -> Any:
    import mercuric.torchvision_operators  # noqa: F401 - onnx2pytorch imports torchvision

    with needed_for("FILE.onnx", "onnx"):
        import onnx2pytorch.convert.model
        import onnx2pytorch.convert.operations
    return onnx2pytorch
