"""How much error buys how much time? Every form of a trained network, judged and timed."""

import copy
from dataclasses import dataclass
from math import nan
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from mercuric.errors import MercuricError
from mercuric.progress import Progress, silent
from mercuric.reuse import Directions, ReuseHandle, fit_ranks_, reuse_
from mercuric.reuse.directions.fit.estimate import estimate_directions, use_directions_
from mercuric.reuse.report_sums import layers_in_directions, similarity_rates
from mercuric.studies.bench.interleaved import Function, Timings
from mercuric.studies.bench.layer_choice import keep_faster
from mercuric.studies.bench.layer_times import COMPILED, DENSE, timed_row
from mercuric.studies.front.forms import PAPER, FrontForm, chosen_forms, front_forms, peer_forms
from mercuric.studies.front.peers.peer import Ground, LeftOut
from mercuric.studies.front.peers.plain import plain_layers
from mercuric.studies.front.subject import FrontBench, FrontSubject, front_subject
from mercuric.trace.workload import read_workloads


@dataclass(frozen=True)
class _Judge:
    """Dense outputs, and how far others are from them.

    Attributes:
        dense: what the dense network says of all images.
        labels: their classes, where they are known.
        classifies: whether outputs are logits.
    """

    dense: Tensor
    labels: Tensor | None
    classifies: bool

    def quality(self, outputs: Tensor) -> dict[str, float]:
        """``error``: mean absolute difference over the mean absolute output; ``difference``: not relative.

        ``agreement``: share of images with dense's first class, where outputs are logits; ``correct``:
        with the right one, where that is known.
        """
        ours, dense = outputs.float(), self.dense.float()
        difference, scale = float((ours - dense).abs().mean()), float(dense.abs().mean())
        same = (ours.argmax(1) == dense.argmax(1)).float().mean() if self.classifies else nan
        right = nan if self.labels is None else (ours.argmax(1) == self.labels).float().mean()
        return {
            "error": difference / scale, "difference": difference, "agreement": float(same),
            "correct": float(right),
        }  # fmt: skip


@dataclass(frozen=True)
class _Made:
    """A network in a form.

    Attributes:
        network: computes.
        handle: of its layers, where they are this library's.
        plain: the same in PyTorch's layers of float32, where there is such a form; its products are counted.
    """

    network: nn.Module
    handle: ReuseHandle | None = None
    plain: nn.Module | None = None


def bench_front(config: FrontBench, progress: Progress = silent) -> pd.DataFrame:
    """Judge every form of the network on test images, then time them in turn.

    Returns:
        A row a form: ``group``, ``setting``, ``form``, ``error``, ``difference``, ``agreement``,
        ``correct``, ``hits``, ``layers``, ``kept``, ``macs`` (share of dense's multiply-accumulates; NaN
        where the inputs decide), and milliseconds and speed-up with quartiles. ``attrs["subject"]`` says
        what was judged, ``attrs["left_out"]``, a sentence each, which peers were not, and why.

    Raises:
        ValueError: a number is out of range, an unknown network, or there are too few images.
        MercuricError: weights or data are missing or damaged.
    """
    forms = front_forms(config.bits, config.ranks, config.errors, config.output_errors, config.paper)
    if config.peers:
        forms += peer_forms(config.ends, config.ratios, config.shares, config.output_errors)
    forms = chosen_forms(forms, config.forms)
    subject = front_subject(config)
    made: dict[str, _Made] = {}
    rows: list[dict[str, Any]] = []
    left_out: dict[str, None] = {}
    judge: _Judge | None = None
    whole = _macs(subject.network, subject.timed)
    for place, form in enumerate(forms):
        progress(place, len(forms) + 1, form.name)
        try:
            one, outputs = _formed(form, subject, config, made)
        except LeftOut as error:
            left_out[str(error)] = None
            continue
        judge = judge or _Judge(outputs, subject.labels, subject.classifies)
        made[form.name] = one
        share = nan if one.plain is None else _macs(one.plain, subject.timed) / whole
        rows.append(
            {
                "group": form.group, "setting": form.setting, "form": form.name,
                **judge.quality(outputs), **_facts(one.handle), "macs": share,
            }
        )  # fmt: skip
    progress(len(forms), len(forms) + 1, "timing")
    timings = _timings({name: one.network for name, one in made.items()}, subject.timed, config)
    progress(len(forms) + 1, len(forms) + 1)
    table = pd.DataFrame([{**row, **timed_row(timings[row["form"]], row["form"])} for row in rows])
    table.attrs.update(subject=subject.shown, left_out=list(left_out))
    return table


def _formed(
    form: FrontForm, subject: FrontSubject, config: FrontBench, made: dict[str, _Made]
) -> tuple[_Made, Tensor]:
    """The network in a form, and what it says of the images that it is judged on.

    Raises:
        LeftOut: of a peer that can't be had here.
    """
    if form.peer is None:
        model = copy.deepcopy(subject.network)
        handle = _with_form(model, form, subject, config)
        one = _Made(model, handle, plain_layers(model, handle))
        return one, torch.cat(_outputs(model, subject.judged, config))
    try:
        one = _peer(form, subject, config, made)
        return one, torch.cat(_outputs(one.network, subject.judged, config))
    except MercuricError as error:
        raise LeftOut(str(error)) from error
    except (RuntimeError, TypeError, ValueError) as error:
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise LeftOut(f"{form.name} can't be run: {why}") from error


def _peer(form: FrontForm, subject: FrontSubject, config: FrontBench, made: dict[str, _Made]) -> _Made:
    assert form.peer is not None  # noqa: S101 - for mypy
    if config.step and not form.peer.trains:
        raise LeftOut(f"{form.group} has no gradients, so no training step is timed in it")
    base = made[form.base].plain
    assert base is not None  # noqa: S101 - of dense and fitted directions there is one
    ground = Ground(subject.name, subject.timed, subject.fitted, config.compiled)
    network = form.peer.make(copy.deepcopy(base), ground)
    return _Made(network, None, network if form.peer.narrows else base)


def _macs(network: nn.Module, batch: Tensor) -> int:
    return sum(workload.macs for workload in read_workloads(network, batch))


def _with_form(
    model: nn.Module, form: FrontForm, subject: FrontSubject, config: FrontBench
) -> ReuseHandle | None:
    """Turn the form on; layers learn directions of the timed batch, or those that the output feels."""
    if form.config is None:
        return None
    handle = reuse_(model, form.config, lambda _, name: not name.startswith(("sides.", "fuse")))
    if form.group != PAPER:
        handle.switch_off_losing(products=3 if config.step else 1)
    if form.output_error is not None:
        fit_ranks_(model, handle, subject.fitted, form.output_error)
    elif isinstance(form.config, Directions):
        estimate_directions(model, handle, [subject.timed])
    _outputs(model, [subject.timed], config)
    if form.chosen and _choose(model, handle, subject.timed, config) and form.output_error is not None:
        # A layer that is slower in its rank keeps its trained weight, and others may lose what it lost.
        model.load_state_dict(subject.network.state_dict())
        fit_ranks_(model, handle, subject.fitted, form.output_error)
    if isinstance(form.config, Directions):
        use_directions_(model, handle)
    handle.reset()
    return handle


def _choose(model: nn.Module, handle: ReuseHandle, batch: Tensor, config: FrontBench) -> bool:
    """Switch off what is slower than dense; whether that is anything."""
    before = [state.on for state in handle.layers.values()]
    if not config.step:
        model.requires_grad_(False)

    def run() -> None:
        with config.autocast():
            output = model(batch)
        if config.step:
            output.float().square().mean().backward()

    keep_faster(model, handle, run, config.now)
    model.requires_grad_(True)
    model.zero_grad(set_to_none=True)
    return [state.on for state in handle.layers.values()] != before


def _outputs(model: nn.Module, batches: list[Tensor], config: FrontBench) -> list[Tensor]:
    with torch.no_grad(), config.autocast():
        return [model(batch) for batch in batches]


def _facts(handle: ReuseHandle | None) -> dict[str, float]:
    if handle is None:
        return {"hits": nan, "layers": nan, "kept": nan}
    report = handle.report()
    hits = similarity_rates(report)["hit_rate"] if report["vectors"].sum() else nan
    kept = layers_in_directions(report) if "computes" in report else int(report["on"].sum())
    return {"hits": hits, "layers": len(report), "kept": kept}


def _timings(networks: dict[str, nn.Module], batch: Tensor, config: FrontBench) -> dict[str, Timings]:
    """Of all but the paper's form together; that one, which takes far longer, once beside dense."""
    make = _step if config.step else _inference
    if config.compiled:
        compiled: Any = torch.compile(networks[DENSE])
        networks = {**networks, COMPILED: compiled}
    functions: dict[str, Function] = {name: make(model, batch, config) for name, model in networks.items()}
    slow = functions.pop(PAPER, None)
    together = config.time(functions, warm_ups=2 if config.compiled else 1)
    found = dict.fromkeys(functions, together)
    if slow is not None:
        once = config.changed(rounds=1)
        found[PAPER] = once.time({DENSE: functions[DENSE], PAPER: slow}, warm_ups=0)
    return found


def _inference(model: nn.Module, batch: Tensor, config: FrontBench) -> Function:
    return lambda: _outputs(model, [batch], config)


def _step(model: nn.Module, batch: Tensor, config: FrontBench) -> Function:
    """A training step at a learning rate of 0: the network stays the one that was judged."""

    def run() -> None:
        optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
        optimizer.zero_grad(set_to_none=True)
        with config.autocast():
            output = model(batch)
        output.float().square().mean().backward()
        optimizer.step()

    return run
