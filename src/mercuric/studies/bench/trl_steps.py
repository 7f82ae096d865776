"""How long does a whole step of TRL's trainers take, with prefixes shared and without?

The steps are TRL's own, from the batch to the optimizer. GRPO's completions are given, as by a server that
generates them: sampling is no part of a step's time.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import pandas as pd
import torch
from torch import nn

from mercuric.errors import MercuricError
from mercuric.prefixes import share_prefixes
from mercuric.progress import Progress, silent
from mercuric.studies.bench.interleaved import Timings
from mercuric.studies.bench.layer_times import COMPILED, DENSE, timed_row
from mercuric.studies.bench.prefixes import SHARED, VOCABULARY, WARM_UPS, Family, compile_, language_model
from mercuric.studies.bench.settings import BenchSettings

Sizes = tuple[int, int, int]
"""Completions of a prompt, tokens of the prompt, tokens of a completion."""
GRPO_SIZES: Sizes = (8, 512, 64)
DPO_SIZES: Sizes = (2, 512, 64)
QUICK_SIZES: Sizes = (2, 12, 4)
PROMPTS = 4
"""Prompts of a batch of preference pairs."""


def bench_trl(
    settings: BenchSettings, families: tuple[Family, ...], quick: bool = False, progress: Progress = silent
) -> pd.DataFrame:
    """A row a family and trainer: ``network``, ``case``, ``tokens``, ``distinct``, ``limit``, ``efficiency``
    and those of ``timed_row``.

    Raises:
        MercuricError: TRL is not installed.
    """
    work = [(family, name) for family in families for name in ("GRPO", "DPO")]
    rows: list[dict[str, Any]] = []
    for place, (family, name) in enumerate(work):
        progress(place, len(work), f"a step of TRL's {name}Trainer, {family}")
        sizes = QUICK_SIZES if quick else GRPO_SIZES if name == "GRPO" else DPO_SIZES
        make = grpo_trainer if name == "GRPO" else dpo_trainer
        with tempfile.TemporaryDirectory() as folder, _quiet():
            common = _common(folder, settings)
            models = {form: _drawn(family, quick, settings.seed) for form in _forms(settings)}
            trainers = {form: make(model, sizes, common) for form, model in models.items()}
            if settings.compiled:
                compile_(models[COMPILED])
            timed = _timed(trainers, settings)
        case = f"{name}Trainer, {sizes[0]} of {sizes[1]} + {sizes[2]}"
        rows.append({"network": family, "case": case, **timed})
    progress(len(work), len(work))
    return pd.DataFrame(rows)


def grpo_trainer(model: nn.Module, sizes: Sizes, common: Mapping[str, Any]) -> Any:
    """A trainer whose every step scores the given completions of one prompt."""
    trl, datasets = trl_and_datasets()
    group, prompt, length = sizes
    ids = torch.randint(3, VOCABULARY, (prompt,)).tolist()
    completions = torch.randint(3, VOCABULARY, (group, length)).tolist()

    def rollout(prompts: list[Any], _: Any) -> dict[str, Any]:
        return {
            "prompt_ids": [ids for _ in prompts], "completion_ids": completions[: len(prompts)],
            "logprobs": None,
        }  # fmt: skip

    def reward(completion_ids: list[list[int]], **_: Any) -> list[float]:
        return [float(one[0] % 7) for one in completion_ids]

    arguments = trl.GRPOConfig(
        **common, per_device_train_batch_size=group, num_generations=group,
        max_completion_length=length, beta=0.0,
    )  # fmt: skip
    data = datasets.Dataset.from_list([{"prompt": "w3"}])
    return trl.GRPOTrainer(
        model=model, reward_funcs=reward, args=arguments, train_dataset=data,
        processing_class=word_tokenizer(), rollout_func=rollout,
    )  # fmt: skip


def dpo_trainer(model: nn.Module, sizes: Sizes, common: Mapping[str, Any]) -> Any:
    """A trainer whose every step scores the same preference pairs, beside a reference scored before."""
    trl, datasets = trl_and_datasets()
    _, prompt, length = sizes

    def words(count: int) -> str:
        return " ".join(f"w{one}" for one in torch.randint(3, VOCABULARY, (count,)).tolist())

    pairs = [
        {"prompt": words(prompt), "chosen": f" {words(length)}", "rejected": f" {words(length)}"}
        for _ in range(PROMPTS)
    ]
    arguments = trl.DPOConfig(
        **common, per_device_train_batch_size=PROMPTS, max_length=None, precompute_ref_log_probs=True
    )
    return trl.DPOTrainer(
        model=model,
        args=arguments,
        train_dataset=datasets.Dataset.from_list(pairs),
        processing_class=word_tokenizer(),
    )


def word_tokenizer() -> Any:
    """A tokenizer made in memory, a word ``w<id>`` a token."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    pad, begin, end = ends = ("<pad>", "<s>", "</s>")
    words = [*ends, *(f"w{one}" for one in range(len(ends), VOCABULARY))]
    made = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, unk_token=pad))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer: Any = PreTrainedTokenizerFast
    return tokenizer(tokenizer_object=made, pad_token=pad, bos_token=begin, eos_token=end)


@contextmanager
def _quiet() -> Iterator[None]:
    """Data sets of a few rows need no bars."""
    _, datasets = trl_and_datasets()
    before = datasets.are_progress_bars_disabled()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        if not before:
            datasets.enable_progress_bars()


def trl_and_datasets() -> tuple[Any, Any]:
    """The packages of these names.

    Raises:
        MercuricError: they are not installed.
    """
    # What a function that gives completions is called by may change, as TRL would say each time.
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
    try:
        return import_module("trl"), import_module("datasets")
    except ModuleNotFoundError as error:
        raise MercuricError("steps of TRL's trainers need trl: pip install trl, or add --no-trl") from error


def _common(folder: str, settings: BenchSettings) -> dict[str, Any]:
    return {
        "output_dir": folder, "max_steps": 1, "report_to": [], "use_cpu": True,
        "bf16": settings.dtype == "bfloat16",
        "gradient_checkpointing": False, "save_strategy": "no", "logging_strategy": "no",
        "disable_tqdm": True, "learning_rate": 1e-5,
    }  # fmt: skip


def _forms(settings: BenchSettings) -> tuple[str, ...]:
    return (DENSE, COMPILED, SHARED) if settings.compiled else (DENSE, SHARED)


def _drawn(family: Family, quick: bool, seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return language_model(family, quick)


def _step_seconds(trainer: Any, settings: BenchSettings) -> list[float]:
    """Where the seconds of each step that ``trainer`` takes are added, from its batch to its optimizer."""
    from transformers import PrinterCallback, TrainerCallback

    found: list[float] = []

    class Clock(TrainerCallback):
        def on_step_begin(self, *_: Any, **__: Any) -> None:
            self.started = settings.now()

        def on_step_end(self, *_: Any, **__: Any) -> None:
            found.append(settings.now() - self.started)

    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(Clock)
    return found


def _timed(trainers: Mapping[str, Any], settings: BenchSettings) -> dict[str, Any]:
    handle = share_prefixes(trainers[SHARED].model)
    seconds = {name: _step_seconds(trainer, settings) for name, trainer in trainers.items()}
    for turn in range(WARM_UPS + settings.rounds):
        for trainer in list(trainers.values())[:: 1 if turn % 2 else -1]:
            trainer.train()
    timings = Timings({name: found[WARM_UPS:] for name, found in seconds.items()})
    report, row = handle.report(), timed_row(timings, SHARED)
    return {
        "tokens": report.tokens // report.calls, "distinct": report.computed // report.calls,
        "limit": report.limit, **row, "efficiency": row["speedup"] / report.limit,
    }  # fmt: skip
