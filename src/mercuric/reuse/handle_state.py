"""What is saved of a model with reuse, and is it of this model?"""

from collections.abc import Mapping
from typing import Any

from torch import nn

from mercuric.config import mismatches
from mercuric.errors import ArgumentError
from mercuric.files.saved_state import SavedState, Whole
from mercuric.reuse.config import ReuseConfig
from mercuric.reuse.layer import LayerReuse, LayerState


class HandleState(SavedState):
    """What a handle saves: the bases of principal directions are tensors, all else is ready for JSON.

    Attributes:
        config: what the layers were made with.
        layers: name to state, in any order.
        adaptation: where the judge of layers and bits stands; None without one.
        timed_steps: steps on which it depends which layers are timed.
    """

    config: ReuseConfig
    layers: dict[str, LayerState]
    adaptation: dict[str, Any] | None
    timed_steps: Whole = 0

    def plain(self) -> dict[str, Any]:
        """See :meth:`SavedState.plain`."""
        return {**self.model_dump(), "config": self.config.model_dump(mode="json")}

    def check_fits(
        self, config: ReuseConfig, layers: Mapping[str, LayerReuse], modules: Mapping[str, nn.Module]
    ) -> None:
        """Make sure that it is of a model with these layers.

        Args:
            config: of the model.
            layers: name to the state of a reuse layer.
            modules: name to module, of those that have parameters.

        Raises:
            ValueError: it is of another configuration or of other layers, or lacks their directions.
        """
        different = mismatches(self.config.model_dump(mode="json"), config.model_dump(mode="json"))
        if self.layers.keys() != layers.keys():
            different.append(f"layers was {', '.join(self.layers)}, but must be {', '.join(layers)}")
        elif config.principal is not None and any(one.principal is None for one in self.layers.values()):
            different.append("principal of the layers was not saved, but must be: their directions are lost")
        if different:
            raise ArgumentError(f"the state is of another model with reuse: {'; '.join(different)}")
        for name, layer in layers.items():
            try:
                layer.check(self.layers[name], modules.get(name))
            except ValueError as error:
                raise ArgumentError(f"the state of layer {name!r} does not fit: {error}") from None
