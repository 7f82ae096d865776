"""How is a model with reuse watched and switched?"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from torch import Tensor, nn

from mercuric.errors import ArgumentError, described
from mercuric.reuse.config import ReuseConfig
from mercuric.reuse.coverage import Coverage
from mercuric.reuse.coverage_text import coverage_text, dense_layers, never_ran, share_covered
from mercuric.reuse.distributed import require_same
from mercuric.reuse.handle_state import HandleState
from mercuric.reuse.judge.fastest import KeepFaster
from mercuric.reuse.judge.judge import Change, Cost, CostModel
from mercuric.reuse.judge.judging import Judging, loss_number
from mercuric.reuse.layer import LayerReuse, uncounted
from mercuric.reuse.observation import Observer
from mercuric.reuse.pass_watch import PassWatch

if TYPE_CHECKING:
    from mercuric.reuse.layer_report import LayerReport


class ReuseHandle:
    """The reuse layers of one model, by name.

    Attributes:
        config: what :func:`reuse_` was called with.
        layers: name to the state of a reuse layer, in the model's order; ``nn.MultiheadAttention`` has
            three, its projections ``.in_proj`` and ``.out_proj`` and the attention itself.
        coverage: what other layers there are, and what each multiplied in the first forward pass.
    """

    def __init__(
        self,
        config: ReuseConfig,
        layers: dict[str, LayerReuse],
        cost: CostModel | Literal["milliseconds"] | None,
        modules: Mapping[str, nn.Module],
        coverage: Coverage,
    ) -> None:
        self.config = config
        self.layers = layers
        self._modules = dict(modules)
        self._judging = Judging(config.judge(list(layers)), layers, None if isinstance(cost, str) else cost)
        self._ranks_agree = False
        self.coverage = coverage
        self._watch = PassWatch(layers, coverage)
        if cost == "milliseconds" or self._judging.by_milliseconds:
            self.time_layers(self._modules)

    def __repr__(self) -> str:
        return coverage_text(self.layers, self.coverage)

    def step(self, loss: float | Tensor) -> list[Change]:
        """Adapt after a training step: bits grow, layers that don't pay turn off (paper III-D).

        Under ``torch.distributed`` every rank must call it: the mean loss and the summed costs decide,
        so that all ranks change alike. Without a judge in the configuration (``adaptation``, or
        ``keep="faster"``) nothing changes.

        Args:
            loss: mean loss of the step's batch.

        Returns:
            What changed; :attr:`changes` keeps it all.

        Raises:
            ValueError: the loss is no finite number, or ranks disagree on configuration or layers.
        """
        mean_loss = loss_number(loss)
        if not self.coverage.attached:
            self._close()
            return []
        if not self._ranks_agree:
            require_same({**self.config.model_dump(mode="json"), **self._standing()})
            self._ranks_agree = True
        return self._judging.step(mean_loss)

    def time_layers(self, modules: Mapping[str, nn.Module], every: int | None = None) -> None:
        """Let the milliseconds of this machine decide which layers turn off, instead of a cost model.

        With ``keep="faster"`` they decide which layers are on, too: the others are measured as well.

        Args:
            modules: name to module, of convolutions and fully connected layers.
            every: steps between two measurements of a layer; by default 200, or 1000 with
                ``keep="faster"``, which makes measuring less than a hundredth of the training.

        Raises:
            ValueError: ``every`` is no number or below 1, or a name is not of a reuse layer.
        """
        if every is not None and (type(every) is not int or every < 1):
            raise ArgumentError(f"every was {described(every)}, but must be at least 1 step, or None")
        if not isinstance(modules, Mapping):
            raise ArgumentError(f"modules was {described(modules)}, but must be names with their modules")
        for name, module in modules.items():
            self._state(name)
            if not isinstance(module, nn.Module):
                raise ArgumentError(
                    f"the module of layer {name!r} was {described(module)}, but must be a module"
                )
        self._judging.time(modules, self.switched, every)

    @property
    def needs_loss(self) -> bool:
        """Whether :meth:`step` decides by the loss."""
        return self._judging.judge is not None and not self._judging.by_milliseconds

    @property
    def changes(self) -> list[Change]:
        """Everything that adaptation changed, in order."""
        return self._judging.history

    def switch_on(self, *names: str) -> None:
        """Let the named layers (all, where none is named) reuse results.

        Raises:
            ValueError: no reuse layer has that name.
        """
        self._switch(names, on=True)

    def switch_off(self, *names: str) -> None:
        """Let the named layers (all, where none is named) compute densely.

        Raises:
            ValueError: no reuse layer has that name.
        """
        self._switch(names, on=False)

    def switch_off_losing(self, products: int = 3) -> list[str]:
        """Switch off the layers that no HIT rate can make pay, and return their names.

        A signature costs a dot product a bit, and a HIT saves one a filter in each product (paper
        III-D decides by that comparison): depthwise convolutions and the heads of networks for few
        classes can't win.

        Args:
            products: that go by one signature: 3 in training (forward, dO, dW), 1 in inference.

        Raises:
            ValueError: ``products`` is not a number of at least 1.
        """
        if type(products) is not int or products < 1:
            raise ArgumentError(f"products was {described(products)}, but must be 1 or more")
        losing = [name for name, state in self.layers.items() if state.loses(products)]
        if losing:
            self.switch_off(*losing)
        return losing

    def keep_faster(self, costs: Mapping[str, Cost | None]) -> list[Change]:
        """Turn off the layers that were measured to be slower than dense; the report shows both times.

        Args:
            costs: layer to milliseconds with reuse and densely; None: not measured.

        Raises:
            ValueError: a name is not of a reuse layer, or a cost is none.
        """
        if not isinstance(costs, Mapping):
            raise ArgumentError(f"costs was {described(costs)}, but must be names of layers with their costs")
        for name, cost in costs.items():
            self._state(name)
            if cost is not None and not isinstance(cost, Cost):
                raise ArgumentError(
                    f"the cost of layer {name!r} was {described(cost)}, but must be a Cost or None"
                )
        for name, cost in costs.items():
            self._state(name).milliseconds = cost
        changes = KeepFaster(list(self.layers)).step(0.0, costs)
        for change in changes:
            self.switch_off(str(change.layer))
        return changes

    def measure_error(self) -> None:
        """Let the next forward pass compute each layer's dense output too, for the output error."""
        for state in self.layers.values():
            state.error_due = True
        self._watch.await_pass()

    def reset(self) -> None:
        """Set every layer's counts to zero."""
        for state in self.layers.values():
            state.reset()

    @contextmanager
    def uncounted(self) -> Iterator[None]:
        """Within the block forward passes are neither counted nor observed, nor is their error measured."""
        with uncounted(self.layers.values()):
            yield

    @contextmanager
    def off(self) -> Iterator[None]:
        """Within the block every layer computes densely."""
        switches = [(state, state.on) for state in self.layers.values()]
        self.switch_off()
        try:
            yield
        finally:
            for state, on in switches:
                state.on = on

    @contextmanager
    def switched(self, name: str, on: bool) -> Iterator[None]:
        """Within the block one layer is on, even where its method is not in use yet, or off; uncounted."""
        with self.uncounted(), self._state(name).tried(on):
            yield

    def state_dict(self) -> dict[str, Any]:
        """Configuration, what was counted and switched, what layers hold, and where the judge stands.

        All of it is ready for JSON but the bases of principal directions, which are tensors.
        """
        return HandleState(
            config=self.config,
            layers={state.name: state.state() for state in self.layers.values()},
            adaptation=self._judging.state_dict(),
            timed_steps=self._judging.timed_steps,
        ).plain()

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Go on from what :meth:`state_dict` gave, its keys in any order; on an error nothing has changed.

        Raises:
            ValueError: it is of another configuration or of other layers, lacks their directions, or is
                broken.
        """
        if isinstance(saved, Mapping) and not {"config", "layers"} & saved.keys():
            given = f"a mapping with {', '.join(map(repr, list(saved)[:3])) or 'nothing'}"
            raise ArgumentError(
                f"the state of the handle was {given}, but must be what its state_dict() gave"
            )
        state = HandleState.of(saved, "the state of the handle")
        states = state.fitting(self.config, self.layers, self._modules)
        self._judging.load_judge(state.adaptation)
        self._ranks_agree = False
        for name, layer in self.layers.items():
            layer.load(states[name], self._modules.get(name))
        self._judging.go_on(state.timed_steps)

    def observe(self, observer: Observer) -> Callable[[], None]:
        """Call ``observer`` after each layer's products; returns the function that stops it.

        Raises:
            ValueError: it can't be called.
        """
        if not callable(observer):
            raise ArgumentError(
                f"observer was {described(observer)}, but must be a function of an Observation"
            )
        for state in self.layers.values():
            state.observers.append(observer)

        def stop() -> None:
            for state in self.layers.values():
                if observer in state.observers:
                    state.observers.remove(observer)

        return stop

    def report(self) -> "LayerReport":
        """A layer a row, summed over the forward passes since :meth:`reset`.

        A table of pandas, which a notebook shows under a chart of itself; ``plot()`` is that chart.

        Columns: ``layer``, ``kind``, ``vectors``, ``bits``, ``HIT``, ``MAU``, ``MNU`` (these three add
        up to ``vectors``), ``zero`` (vectors of zeros alone), ``zero_hits`` (HITs by those),
        ``error`` (relative output error where it was last measured), ``on``, and what the method adds: with
        ``backward="signature"`` the same five counts of gradient vectors, as ``gradient_vectors``,
        ``gradient_HIT``, ..., with ``projection="separable"`` ``in_place``, whether the layer's last pass
        went the fast way; in directions ``rank`` and ``computes``. Where milliseconds decide which layers
        are on, ``dense_ms`` and ``reuse_ms``.

        ``attrs`` of the table: ``"covered"``, the share of the multiply-accumulates of the model's first
        forward pass that these layers have, or None before it; ``"never_ran"``, names of layers that were
        never called; ``"dense"``, name to reason of what computes densely; ``"functions"``, with ``Equal``,
        figures of the convolutions that the model calls as functions, by their sizes.

        Warns:
            UserWarning: once for a handle, of layers that never ran and of a share under a half.
        """
        from mercuric.reuse.layer_report import LayerReport  # most programs that reuse need no pandas

        report = LayerReport([state.row() | self._judging.columns(state) for state in self.layers.values()])
        report.attrs["covered"] = share_covered(self.layers, self.coverage)
        report.attrs["never_ran"] = never_ran(self.layers)
        report.attrs["dense"] = dense_layers(self.layers, self.coverage)
        report.attrs["functions"] = {
            name: figures for state in self.layers.values() for name, figures in state.functions().items()
        }
        self._watch.warn()
        return report

    def _standing(self) -> dict[str, Any]:
        return {
            "layers": sorted(self.layers),
            "layers that are on": sorted(name for name, state in self.layers.items() if state.on),
            "bits of the layers": {name: state.bits for name, state in self.layers.items()},
            "adaptation so far": self._judging.state_dict(),
        }

    def _close(self) -> None:
        """Leave the model alone; reuse was taken off."""
        self._watch.close()
        self._judging.close()

    def _switch(self, names: tuple[str, ...], on: bool) -> None:
        for state in [self._state(name) for name in names] or self.layers.values():
            state.on = on

    def _state(self, name: str) -> LayerReuse:
        if not isinstance(name, str):
            raise ArgumentError(
                f"layer was {described(name)}, but must be a name; give several one by one: (*names)"
            )
        if name not in self.layers:
            known = ", ".join(self.layers)
            raise ArgumentError(f"layer was {name!r}, but must be one of the reuse layers: {known}")
        return self.layers[name]
