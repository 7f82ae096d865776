"""How does the Trainer of Hugging Face transformers train with reuse?"""

# ruff: noqa: ARG002 - the Trainer calls with all of these

from base64 import b64decode, b64encode
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any, Literal, cast

import safetensors.torch as safetensors
import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

import mercuric.torchvision_operators  # noqa: F401 - transformers imports torchvision

try:
    from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
except ModuleNotFoundError as error:
    raise ImportError(
        f"mercuric.integrations.transformers needs the transformers library ({error}); install it with: "
        'pip install "transformers[torch]"'
    ) from error

from mercuric.reuse import CostModel, ReuseConfig, ReuseHandle, restore_, reuse_, similarity_rates
from mercuric.reuse.replacement import FilterFunction
from mercuric.tensors_apart import joined, parted


class MercuricCallback(TrainerCallback):
    """Turns reuse on when training begins, adapts after each optimizer step, and resumes.

    The loss is read off the model's output, where the Trainer reads it too; over the batches whose
    gradients accumulate it is their mean, or their sum where the model was given
    ``num_items_in_batch``. Evaluation reuses as well, but is not counted. ``log_history`` gains
    ``reuse_hit_rate``, of all vectors so far, and ``reuse_bits``. The handle's state lies in each
    checkpoint's ``trainer_state.json``.

    Args:
        config: how similarity is found; :class:`ReuseConfig` by default.
        filter_fn: as for :func:`mercuric.reuse_`.
        cost: as for :func:`mercuric.reuse_`.
        restore: take reuse off when training ends.

    Attributes:
        handle: the handle of the model's reuse layers; None before training begins.
    """

    def __init__(
        self,
        config: ReuseConfig | None = None,
        filter_fn: FilterFunction | None = None,
        cost: CostModel | Literal["milliseconds"] | None = None,
        *,
        restore: bool = False,
    ) -> None:
        self.handle: ReuseHandle | None = None
        self._config = config or ReuseConfig()
        self._filter_fn = filter_fn
        self._cost = cost
        self._restore = restore
        self._model: nn.Module | None = None
        self._losses: list[Tensor] = []
        self._summed = False
        self._hook: RemovableHandle | None = None
        self._between_steps = ExitStack()

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **given: Any
    ) -> None:
        """Turn reuse on, and go on from the checkpoint that training resumes from.

        Raises:
            ValueError: see :func:`mercuric.reuse_`, or the checkpoint is of another configuration.
        """
        model = given["model"]
        if self.handle is None or self._model is not model:
            self.handle = reuse_(model, self._config, self._filter_fn, self._cost)
            self._model = model
        saved = _callback_states(state).get(_KEY)
        if saved is not None:
            self.handle.load_state_dict(from_text(saved))
        self._hook = model.register_forward_hook(self._keep_loss, with_kwargs=True)

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **given: Any
    ) -> None:
        """Count from here."""
        self._between_steps.close()
        self._losses.clear()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **given: Any
    ) -> None:
        """Adapt to the step's loss, and count nothing until the next step.

        Raises:
            ValueError: the model's output has no loss to adapt to, the loss is not finite, or ranks disagree.
        """
        handle = self._started()
        if self._losses:
            total = torch.stack(self._losses).sum()
            handle.step(total if self._summed else total / len(self._losses))
        elif handle.config.adaptation is not None:
            raise ValueError(
                "the model's output has no loss, but adaptation needs it; give the model its labels, or "
                "leave out adaptation"
            )
        self._between_steps.enter_context(handle.uncounted())
        self._save(state, control)

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **given: Any
    ) -> None:
        """Leave the handle's state where the Trainer saves it."""
        self._save(state, control)

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **given: Any
    ) -> None:
        """Leave the handle's state where the Trainer saves it: the best model is known only afterwards."""
        if self.handle is not None:
            _callback_states(state)[_KEY] = as_text(self.handle.state_dict())

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **given: Any
    ) -> None:
        """Add the HIT rate and the bits to what is logged of training."""
        if self.handle is not None and "loss" in state.log_history[-1]:
            bits = max(layer.bits for layer in self.handle.layers.values())
            rate = similarity_rates(self.handle.report())["hit_rate"]
            state.log_history[-1] |= {"reuse_hit_rate": rate, "reuse_bits": bits}

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **given: Any
    ) -> None:
        """Stop following the loss; take reuse off, if that was asked for."""
        self._between_steps.close()
        if self._hook is not None:
            self._hook.remove()
        if self._restore and self._model is not None:
            restore_(self._model)
            self._model = None

    def _started(self) -> ReuseHandle:
        if self.handle is None:
            raise RuntimeError("MercuricCallback.on_train_begin has not run")
        return self.handle

    def _save(self, state: TrainerState, control: TrainerControl) -> None:
        if control.should_save:
            _callback_states(state)[_KEY] = as_text(self._started().state_dict())

    def _keep_loss(
        self, model: nn.Module, arguments: tuple[Any, ...], keywords: dict[str, Any], outputs: Any
    ) -> None:
        if not (model.training and torch.is_grad_enabled()):
            return
        loss = outputs.get("loss") if isinstance(outputs, Mapping) else outputs[0]
        if isinstance(loss, Tensor) and loss.numel() == 1:
            self._losses.append(loss.detach().reshape(()))
            self._summed = keywords.get("num_items_in_batch") is not None


_KEY = "mercuric"
"""Not the class's name: the Trainer would make the callback anew, without its filter and cost."""


def as_text(state: dict[str, Any]) -> dict[str, Any]:
    """A handle's state for ``trainer_state.json``: its tensors as base64 of a safetensors file."""
    text, tensors = parted(state, "state")
    if tensors:
        files = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
        text["tensors"] = b64encode(safetensors.save(files)).decode("ascii")
    return cast(dict[str, Any], text)


def from_text(text: dict[str, Any]) -> dict[str, Any]:
    """The state that :func:`as_text` wrote."""
    packed = text.get("tensors")
    tensors = {} if packed is None else safetensors.load(b64decode(packed))
    return {key: joined(value, tensors) for key, value in text.items() if key != "tensors"}


def _callback_states(state: TrainerState) -> dict[str, Any]:
    # Declared as a list of callbacks; TrainerState makes it this when it is built.
    return cast(dict[str, Any], state.stateful_callbacks)
