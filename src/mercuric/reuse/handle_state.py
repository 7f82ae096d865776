"""What is saved of a model with reuse, and is it of this model?"""

from collections.abc import Mapping
from typing import Any

from torch import nn

from mercuric.config import mismatches
from mercuric.errors import ArgumentError
from mercuric.reuse.config import ReuseConfig
from mercuric.reuse.layer import LayerReuse, LayerState
from mercuric.saved_state import SavedState, Whole


class HandleState(SavedState):
    """What a handle saves: tensors of layers that have any, all else is ready for JSON.

    Attributes:
        config: what the layers were made with.
        layers: name to state, in any order, as :meth:`LayerReuse.state` gives it.
        adaptation: where the judge of layers and bits stands; None without one.
        timed_steps: steps on which it depends which layers are timed.
    """

    config: ReuseConfig
    layers: dict[str, dict[str, Any]]
    adaptation: dict[str, Any] | None
    timed_steps: Whole = 0

    def plain(self) -> dict[str, Any]:
        """See :meth:`SavedState.plain`."""
        return {**self.model_dump(), "config": self.config.model_dump(mode="json")}

    def fitting(
        self, config: ReuseConfig, layers: Mapping[str, LayerReuse], modules: Mapping[str, nn.Module]
    ) -> dict[str, LayerState]:
        """The layers' states, if all is of a model with these layers.

        Args:
            config: of the model.
            layers: name to the state of a reuse layer.
            modules: name to module, of those that have parameters.

        Raises:
            ValueError: it is of another configuration or of other layers, or a layer's state is broken.
        """
        different = mismatches(self.config.model_dump(mode="json"), config.model_dump(mode="json"))
        if self.config.method != config.method:
            different = different[:1]
        if self.layers.keys() != layers.keys():
            different.append(f"layers was {', '.join(self.layers)}, but must be {', '.join(layers)}")
        if different:
            raise ArgumentError(f"the state is of another model with reuse: {'; '.join(different)}")
        found = {}
        for name, layer in layers.items():
            try:
                found[name] = layer.checked(self.layers[name], modules.get(name))
            except ValueError as error:
                raise ArgumentError(f"the state of layer {name!r} does not fit: {error}") from None
        return found
