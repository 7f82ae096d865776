"""What is a network made of, what does each layer cost, and which layers does reuse cover?"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd
from torch import Tensor, nn

from mercuric.errors import ArgumentError, described
from mercuric.extras import needed_for
from mercuric.reuse.config import PresetName, ReuseConfig, as_config
from mercuric.reuse.layer import uncounted
from mercuric.reuse.layer_filter import LayerFilter
from mercuric.reuse.layer_kinds import kind_of, multiplies, why_dense
from mercuric.reuse.reuse_layer import is_reuse_layer
from mercuric.reuse.swap import sorted_out
from mercuric.trace.forward_pass import Inputs, infer
from mercuric.trace.recorder import recording
from mercuric.trace.workload import read_network

COVERED = "covered"
FUNCTION = "function"


@dataclass(frozen=True)
class Summary:
    """A network, layer by layer; printed, it is a table.

    Attributes:
        layers: a row a module without parts, or with parameters of its own: ``layer``, its name; ``kind``,
            its class; ``output``, the shape of its first tensor, of the last call; ``parameters``; ``macs``,
            multiply-accumulates of its forward pass; ``share`` of all MACs; ``reuse``, ``"covered"``, or why
            it is not, empty where there is nothing to multiply.
        parameters: of the whole network, each counted once.
        trained: those that training changes.
        method: the class of the configuration that coverage is told of.
    """

    layers: pd.DataFrame
    parameters: int
    trained: int
    method: str

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the forward pass, products of functions included."""
        return int(self.layers["macs"].sum())

    @property
    def covered(self) -> float:
        """The share of MACs in layers that reuse covers."""
        return float(self.layers.loc[self.layers["reuse"] == COVERED, "share"].sum())

    def __str__(self) -> str:
        with needed_for("a printed summary"):
            from rich.console import Console
        console = Console(width=140, color_system=None, markup=False, emoji=False)
        with console.capture() as text:
            console.print(self)
        return text.get()

    def __rich__(self) -> Any:
        with needed_for("a printed summary"):
            from rich.box import SIMPLE_HEAD
            from rich.table import Table
            from rich.text import Text
        table = Table(box=SIMPLE_HEAD, caption=Text(self._said()), caption_justify="left")
        for name in self.layers:
            right = name in ("parameters", "macs", "share")
            table.add_column(str(name), justify="right" if right else "left", overflow="fold")
        for cells in self._cells():
            table.add_row(*map(Text, cells))
        return table

    def _repr_html_(self) -> str:
        table = pd.DataFrame(self._cells(), columns=list(self.layers))
        return f"{table.to_html(index=False)}<p>{escape(self._said())}</p>"

    def _cells(self) -> list[list[str]]:
        shown = {"parameters": "{:,}", "macs": "{:,}", "share": "{:.1%}"}
        return [
            [shown.get(str(name), "{}").format(value) for name, value in row.items()]
            for row in self.layers.to_dict("records")
        ]

    def _said(self) -> str:
        return (
            f"{self.parameters:,} parameters, {self.trained:,} of them trained; {self.macs:,} MACs, "
            f"{self.covered:.1%} of them in layers that {self.method} covers"
        )


def summary(
    model: nn.Module,
    inputs: Inputs,
    config: ReuseConfig | PresetName | None = None,
    filter_fn: LayerFilter | None = None,
) -> Summary:
    """What each layer is, gives and costs, and whether reuse covers it.

    The network runs twice in evaluation mode and is left as it was.

    Args:
        model: with reuse or without.
        inputs: a tensor, or positional arguments, or keyword arguments of the network.
        config: as :func:`mercuric.reuse_` takes it; of a network that reuses already, it is that network's.
        filter_fn: as :func:`mercuric.reuse_` takes it.

    Raises:
        ValueError: an argument is not what it must be, or the network multiplies nothing.
    """
    if not isinstance(model, nn.Module):
        raise ArgumentError(f"model was {described(model)}, but must be an nn.Module")
    config, reasons = _coverage(model, config, filter_fn)
    modules = dict(_shown(model))
    shapes: dict[str, str] = {}

    def note(name: str, _module: nn.Module, _args: Any, _kwargs: Any, output: Any) -> None:
        shapes[name] = _shape(output)

    with uncounted(one.__dict__["_mercuric"] for one in model.modules() if is_reuse_layer(one)):
        with recording(modules, after=note):
            infer(model, inputs)
        macs = _macs(model, inputs, modules)
    rows = [
        (name, _kind(module), shapes.get(name, "not called"), _own(module), macs.pop(name, 0))
        for name, module in modules.items()
    ]
    rows += [(name, FUNCTION, "", 0, count) for name, count in macs.items()]
    table = pd.DataFrame(rows, columns=["layer", "kind", "output", "parameters", "macs"])
    table["share"] = table["macs"] / max(1, int(table["macs"].sum()))
    pairs = zip(table["layer"], table["kind"], strict=True)
    table["reuse"] = [
        "a product of a function" if kind == FUNCTION else reasons.get(name, "") for name, kind in pairs
    ]
    table["layer"] = table["layer"].replace("", type(model).__name__)
    numbers = list(model.parameters())
    return Summary(
        table, sum(one.numel() for one in numbers), sum(one.numel() for one in numbers if one.requires_grad),
        type(config).__name__,
    )  # fmt: skip


def _coverage(
    model: nn.Module, config: ReuseConfig | PresetName | None, filter_fn: LayerFilter | None
) -> tuple[ReuseConfig, dict[str, str]]:
    """The configuration, and of each layer whether it is covered, or why not."""
    layers = {name: one for name, one in model.named_modules() if is_reuse_layer(one)}
    if not layers:
        known = as_config(config)
        chosen, dense, _ = sorted_out(model, known, filter_fn)
        return known, {**dense, **dict.fromkeys(chosen, COVERED)}
    known = next(iter(layers.values())).__dict__["_mercuric"].config
    others = {name: one for name, one in model.named_modules() if multiplies(one) and name not in layers}
    reasons = {name: why_dense(one, known) or "it was left dense" for name, one in others.items()}
    return known, {**reasons, **dict.fromkeys(layers, COVERED)}


def _shown(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    within: tuple[str, ...] = ()
    for name, module in model.named_modules():
        if name.startswith(within) and within:
            continue  # a part of a layer that is told as a whole
        whole = kind_of(module) is not None or multiplies(module)
        if whole and name:
            within = (*within, f"{name}.")
        if whole or not list(module.children()) or list(module.parameters(recurse=False)):
            yield name, module


def _kind(module: nn.Module) -> str:
    kind = kind_of(module)
    return kind.plain.__name__ if kind is not None and is_reuse_layer(module) else type(module).__name__


def _own(module: nn.Module) -> int:
    whole = kind_of(module) is not None or multiplies(module)
    return sum(parameter.numel() for parameter in module.parameters(recurse=whole))


def _macs(model: nn.Module, inputs: Inputs, shown: Collection[str]) -> Counter[str]:
    """Module to its multiply-accumulates, of all its calls; those of a layer's parts are the layer's."""
    work = read_network(model, inputs)
    root = type(model).__name__
    counted: Counter[str] = Counter()
    products = [(one.layer, one.macs) for one in work.workloads]
    products += [(one.layer, one.macs) for one in work.unknown]
    for called, macs in products:
        owner = called.partition(": ")[0]
        owner = "" if owner == root else owner
        above = ["".join(owner.rsplit(".", depth)[:1]) for depth in range(owner.count(".") + 1)]
        counted[next((name for name in above if name in shown), owner)] += macs
    return counted


def _shape(output: Any) -> str:
    if isinstance(output, Tensor):
        return " x ".join(map(str, output.shape)) or "scalar"
    parts = output.values() if isinstance(output, dict) else output
    if not isinstance(output, dict | tuple | list):
        parts = ()
    return next((_shape(part) for part in parts if isinstance(part, Tensor)), type(output).__name__)
