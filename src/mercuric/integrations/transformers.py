"""How does the Trainer of Hugging Face transformers train with reuse?"""

# ruff: noqa: ARG002 - the Trainer calls with all of these

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Literal, cast

import safetensors.torch as safetensors
import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from mercuric.errors import ArgumentError

with suppress(ImportError):  # transformers imports torchvision where it is there
    import mercuric.torchvision_operators  # noqa: F401

try:
    from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
except ModuleNotFoundError as error:
    raise ImportError(
        f"mercuric.integrations.transformers needs the transformers library ({error}); install it with: "
        'pip install "transformers[torch]"'
    ) from error

from mercuric.files.tensors import joined, parted
from mercuric.reuse import Alike, CostModel, ReuseConfig, ReuseHandle, restore_, reuse_, similarity_rates
from mercuric.reuse.swap import FilterFunction
from mercuric.saved_state import mapping


class MercuricCallback(TrainerCallback):
    """Turns reuse on when training begins, adapts after each optimizer step, and resumes.

    The loss is read off the model's output, where the Trainer reads it too; over the batches whose
    gradients accumulate it is their mean, or their sum where the model was given
    ``num_items_in_batch``. Evaluation reuses as well, but is not counted. ``log_history`` gains
    ``reuse_hit_rate``, of all vectors so far, and ``reuse_bits``. Each checkpoint's ``trainer_state.json``
    holds the handle's state of that step, whoever asked for the checkpoint; with
    ``load_best_model_at_end`` the state goes back with the weights.

    Args:
        config: how layers compute, as :func:`~mercuric.reuse_` takes it; :class:`~mercuric.Alike` by default.
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
        self._config = config or Alike()
        self._filter_fn = filter_fn
        self._cost = cost
        self._restore = restore
        self._model: nn.Module | None = None
        self._losses: list[Tensor] = []
        self._summed = False
        self._hook: RemovableHandle | None = None
        self._between_steps = ExitStack()
        self._begun = 0
        self._before: dict[str, Any] | None = None

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
        self._end()
        saved = _callback_states(state).get(_KEY)
        if saved is not None:
            self.handle.load_state_dict(from_text(saved))
        _callback_states(state)[_KEY] = _CurrentState(lambda: as_text(self._state_of(state.global_step)))
        self._hook = model.register_forward_hook(self._keep_loss, with_kwargs=True)

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **given: Any
    ) -> None:
        """Count from here."""
        self._between_steps.close()
        self._losses.clear()
        self._begun, self._before = state.global_step, self._started().state_dict()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **given: Any
    ) -> None:
        """Adapt to the step's loss, and count nothing until the next step.

        Raises:
            ValueError: the model's output has no loss to adapt to, the loss is not finite, or ranks disagree.
        """
        self._finish_step()

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **given: Any
    ) -> None:
        """Add the HIT rate and the bits to what is logged of training."""
        if self.handle is not None and "loss" in state.log_history[-1]:
            bits = max(layer.bits for layer in self.handle.layers.values())
            rate = similarity_rates(self.handle.report())["hit_rate"]
            figures = {"reuse_hit_rate": rate, "reuse_bits": bits}
            state.log_history[-1] |= figures
            given.get("logs", {}).update(figures)  # for reporting callbacks after this one

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **given: Any
    ) -> None:
        """Stop following the loss; go back with the best weights; take reuse off, if that was asked for.

        Raises:
            ValueError: the best checkpoint is of another configuration.
        """
        self._end()
        if args.load_best_model_at_end and state.best_model_checkpoint is not None:
            self._go_back(Path(state.best_model_checkpoint) / "trainer_state.json")
        if self._restore and self._model is not None:
            restore_(self._model)
            self._model = None

    def _started(self) -> ReuseHandle:
        if self.handle is None:
            raise RuntimeError("MercuricCallback.on_train_begin has not run")
        return self.handle

    def _finish_step(self) -> None:
        # Another callback may save the step before on_step_end comes here.
        if self._before is None:
            return
        handle, self._before = self._started(), None
        if self._losses:
            total = torch.stack(self._losses).sum()
            handle.step(total if self._summed else total / len(self._losses))
        elif handle.needs_loss:
            raise ArgumentError(
                "the model's output has no loss, but adaptation needs it; give the model its labels, or "
                "leave out adaptation"
            )
        self._between_steps.enter_context(handle.uncounted())

    def _state_of(self, step: int) -> dict[str, Any]:
        if self._before is not None and step == self._begun:
            return self._before
        self._finish_step()
        return self._started().state_dict()

    def _go_back(self, saved: Path) -> None:
        if saved.is_file():
            state = _callback_states(TrainerState.load_from_json(str(saved))).get(_KEY)
            if state is not None:
                self._started().load_state_dict(from_text(state))

    def _end(self) -> None:
        # After an error training ends without its event.
        self._between_steps.close()
        self._before = None
        if self._hook is not None:
            self._hook.remove()
            self._hook = None

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
    """The state that :func:`as_text` wrote.

    Raises:
        ValueError: it is something else, or its tensors are broken.
    """
    whole = mapping(text, "the state in trainer_state.json")
    packed = whole.pop("tensors", None)
    try:
        tensors = {} if packed is None else safetensors.load(b64decode(packed, validate=True))
    except (SafetensorError, TypeError, ValueError) as error:
        raise ArgumentError(f"the tensors in trainer_state.json are broken ({error})") from None
    return {key: joined(value, tensors) for key, value in whole.items()}


class _CurrentState:
    """Stands among the Trainer's states; a copy of it, as the Trainer writes one, is the text of that moment.

    A state put there by an event would age: the Trainer saves after the events of all callbacks, and
    callbacks save at any time.
    """

    def __init__(self, text: Callable[[], dict[str, Any]]) -> None:
        self._text = text

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (self._text(),)


def _callback_states(state: TrainerState) -> dict[str, Any]:
    # Declared as a list of callbacks; TrainerState makes it this when it is built.
    return cast(dict[str, Any], state.stateful_callbacks)
