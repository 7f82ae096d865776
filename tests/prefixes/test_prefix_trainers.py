"""Do whole trainings go as without sharing, in the Trainer and in TRL's?"""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_language_models import WORDS, completions, language_model
from torch import Tensor

from mercuric import PrefixReport, share_prefixes

pytest.importorskip("accelerate", reason="the Trainer needs accelerate")
from transformers import PreTrainedTokenizerFast, Trainer, TrainingArguments  # isort: skip

COMMON: dict[str, Any] = {
    "max_steps": 3, "report_to": [], "use_cpu": True, "bf16": False, "learning_rate": 1e-3,
    "logging_steps": 1,
    "save_strategy": "no", "disable_tqdm": True, "seed": 0,
}  # fmt: skip
Trained = tuple[list[float], list[Tensor], PrefixReport | None]


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "datasets"))
    monkeypatch.setenv("TRL_EXPERIMENTAL_SILENCE", "1")


def tokenizer() -> PreTrainedTokenizerFast:
    tokenizers = pytest.importorskip("tokenizers", reason="TRL needs a tokenizer")
    pad, begin, end = ends = ("<pad>", "<s>", "</s>")
    words = [*ends, *(f"w{place}" for place in range(len(ends), WORDS))]
    numbers = {word: place for place, word in enumerate(words)}
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(numbers, unk_token=pad))
    made.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=made, pad_token=pad, bos_token=begin, eos_token=end)


def pairs(count: int = 12) -> list[dict[str, str]]:
    drawn = random.Random(0)

    def words(least: int, most: int) -> str:
        return " ".join(f"w{drawn.randrange(3, WORDS)}" for _ in range(drawn.randint(least, most)))

    return [
        {"prompt": words(10, 20), "chosen": f" {words(2, 6)}", "rejected": f" {words(2, 6)}"}
        for _ in range(count)
    ]


def trained(make: Callable[[Any], Any], share: str, family: str = "llama") -> Trained:
    model = language_model(family).float()
    handle = share_prefixes(model) if share == "before" else None
    trainer = make(model)
    if share == "after":
        handle = share_prefixes(trainer.model)
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    weights = [one.detach().clone() for one in trainer.model.parameters()]
    return losses, weights, handle and handle.report()


def same(plain: Trained, shared: Trained) -> None:
    """Equal up to rounding: AdamW's first steps are as large for a tiny gradient as for any other."""
    assert shared[0] == pytest.approx(plain[0], abs=2e-6)
    assert (
        max(float((one - other).abs().max()) for one, other in zip(plain[1], shared[1], strict=True)) < 1e-4
    )
    moved = sum(float((one - other).square().sum()) for one, other in zip(plain[1], shared[1], strict=True))
    assert moved**0.5 < 1e-4


@pytest.mark.parametrize("accumulated", [1, 2])
def test_the_trainer(tmp_path: Path, accumulated: int) -> None:
    data = [{"input_ids": row, "labels": row} for seed in range(6) for row in completions(4, seed=seed)]

    def make(model: Any) -> Trainer:
        arguments = TrainingArguments(
            str(tmp_path), per_device_train_batch_size=4, gradient_accumulation_steps=accumulated,
            train_sampling_strategy="sequential", **COMMON,
        )  # fmt: skip
        return Trainer(model=model, args=arguments, train_dataset=data)

    plain, shared = trained(make, "no", "gpt2"), trained(make, "before", "gpt2")
    same(plain, shared)
    report = shared[2]
    assert report is not None
    assert (report.calls, report.shared) == (3 * accumulated, 3 * accumulated)
    assert report.limit > 1.5


@pytest.mark.parametrize("share", ["before", "after"])
def test_preference_pairs(tmp_path: Path, share: str) -> None:
    trl = pytest.importorskip("trl", reason="DPOTrainer is TRL's")
    datasets = pytest.importorskip("datasets")

    def make(model: Any) -> Any:
        return trl.DPOTrainer(
            model=model, ref_model=language_model("llama").float(), processing_class=tokenizer(),
            args=trl.DPOConfig(output_dir=str(tmp_path), per_device_train_batch_size=4, **COMMON),
            train_dataset=datasets.Dataset.from_list(pairs()),
        )  # fmt: skip

    plain, shared = trained(make, "no"), trained(make, share)
    same(plain, shared)
    report = shared[2]
    assert report is not None
    assert (report.calls, report.shared) == (3, 3)
    assert report.limit > 1.8  # the prompt, and padding that no label scores


@pytest.mark.parametrize("share", ["before", "after"])
def test_completions_of_a_prompt(tmp_path: Path, share: str) -> None:
    trl = pytest.importorskip("trl", reason="GRPOTrainer is TRL's")
    datasets = pytest.importorskip("datasets")

    def reward(completions: list[str], **_: Any) -> list[float]:
        return [float(len(set(one.split())) % 5) for one in completions]

    def make(model: Any) -> Any:
        arguments = trl.GRPOConfig(
            output_dir=str(tmp_path), per_device_train_batch_size=8, num_generations=4,
            max_completion_length=8, beta=0.0, num_iterations=2, temperature=0.9, **COMMON,
        )  # fmt: skip
        prompts = [{"prompt": pair["prompt"]} for pair in pairs()]
        return trl.GRPOTrainer(
            model=model, reward_funcs=reward, args=arguments, processing_class=tokenizer(),
            train_dataset=datasets.Dataset.from_list(prompts),
        )  # fmt: skip

    plain, shared = trained(make, "no"), trained(make, share)
    same(plain, shared)
    report = shared[2]
    assert report is not None
    assert report.shared >= 3
    assert set(report.dense) <= {
        "the call has past_key_values",
        "the call keeps a cache; pass use_cache=False",
    }


def test_a_fused_head_gives_all_its_numbers() -> None:
    trl = pytest.importorskip("trl", reason="the fused head is TRL's")
    from trl.trainer.utils import add_fused_lm_head

    assert trl
    model, ids = language_model("gpt2"), completions()
    labels = ids.where(torch.arange(ids.shape[1]) > 6, -100)
    fields = ("log_probs", "entropy", "log_sum_sq_probs", "mean_logits", "is_top1")
    add_fused_lm_head(model, temperature=0.7, outputs=fields)
    calls = (
        {"labels": labels}, {"labels": ids, "num_items_in_batch": 7}, {"shift_labels": labels.roll(-1, 1)},
        {"labels": labels, "attention_mask": (torch.arange(12) > 1).long().expand(5, 12)},
    )  # fmt: skip
    for given in calls:
        results = []
        for share in (False, True):
            handle = share_prefixes(model) if share else None
            model.zero_grad()
            output = model(input_ids=ids, fused_lm_head=True, use_cache=False, **given)
            (output.loss + output.log_probs.exp().sum() + output.entropy.sin().sum()).backward()
            results.append((output, [one.grad.clone() for one in model.parameters()]))
            if handle is not None:
                handle.remove()
                assert handle.report().shared == 1
        (plain, expected), (found, gradients) = results
        for name in (*fields, "loss", "label_mask"):
            assert torch.allclose(plain[name].double(), found[name].double(), atol=2e-6), name
        assert all(torch.allclose(*both, atol=2e-6) for both in zip(expected, gradients, strict=True))
