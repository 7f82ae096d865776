"""How much faster does a language model train on a batch whose sequences begin alike?"""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mercuric.extras import needed_for
from mercuric.prefixes import PrefixHandle, share_prefixes
from mercuric.progress import Progress, silent
from mercuric.studies.bench.interleaved import Function
from mercuric.studies.bench.layer_times import COMPILED, DENSE, timed_row
from mercuric.studies.bench.settings import BenchSettings

Family = Literal["llama", "gpt2"]
Loss = Callable[[nn.Module], Tensor]
FAMILIES: tuple[Family, ...] = ("llama", "gpt2")
SHARED = "shared"
PUBLISHED = "published: DPO with prefix sharing 1.1 to 1.6 times, Tree Training up to 6.2 times"
VOCABULARY = 4096
WARM_UPS = 1


@dataclass(frozen=True)
class Case:
    """A batch of ``prompts`` trees: a prompt, from which segments branch, level by level.

    Attributes:
        name: what such a batch is.
        prompts: how many trees.
        prompt: tokens of each.
        segment: tokens of each segment below it.
        branches: how many segments follow one of the level above, a number a level.
    """

    name: str
    prompts: int
    prompt: int
    segment: int
    branches: tuple[int, ...]

    def sequences(self) -> Tensor:
        """Drawn token ids, (sequences, length)."""
        return torch.cat([self._below(torch.empty(0, dtype=torch.long), 0) for _ in range(self.prompts)])

    def _below(self, path: Tensor, level: int) -> Tensor:
        grown = torch.cat([path, torch.randint(3, VOCABULARY, (self.segment if level else self.prompt,))])
        if level == len(self.branches):
            return grown[None]
        return torch.cat([self._below(grown, level + 1) for _ in range(self.branches[level])])


CASES = (
    Case("8 completions", 1, 512, 64, (8,)),
    Case("8 completions", 1, 256, 32, (8,)),
    Case("4 pairs", 4, 256, 64, (2,)),
    Case("trajectories", 1, 384, 32, (2, 2, 2, 2)),
    Case("nothing shared", 8, 512, 64, (1,)),
)
QUICK_CASES = (Case("2 completions", 1, 12, 4, (2,)), Case("nothing shared", 2, 12, 4, (1,)))


def language_model(family: Family, quick: bool) -> nn.Module:
    """A model with random weights: 4 layers of 256 values, or one of 32.

    Raises:
        MissingPackage: transformers is not installed.
    """
    with needed_for("bench prefixes", "hf"):
        from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM
    width, layers, heads = (32, 1, 2) if quick else (256, 4, 8)
    ends: dict[str, Any] = {
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "attn_implementation": "sdpa",
    }
    if family == "llama":
        return LlamaForCausalLM(
            LlamaConfig(
                vocab_size=VOCABULARY, hidden_size=width, intermediate_size=width * 8 // 3,
                num_hidden_layers=layers, num_attention_heads=heads, num_key_value_heads=heads // 2,
                max_position_embeddings=2048, **ends,
            )
        )  # fmt: skip
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=VOCABULARY, n_embd=width, n_layer=layers, n_head=heads, n_positions=2048,
            attn_pdrop=0.0, embd_pdrop=0.0, resid_pdrop=0.0, **ends,
        )
    )  # fmt: skip


def compile_(model: nn.Module) -> nn.Module:
    """Compile ``model`` in place, for its own batch alone: after a few others' shapes compiling would end."""
    torch.compiler.reset()
    model.compile(dynamic=False)
    return model


def bench_prefixes(
    settings: BenchSettings,
    families: Sequence[Family] = FAMILIES,
    quick: bool = False,
    progress: Progress = silent,
) -> pd.DataFrame:
    """Forward and backward of every family on every case; a row a family, case and loss.

    Fields: ``network``, ``case``, ``loss`` (by the model, of labels; or by the caller, of the logits that are
    kept), ``tokens``, ``distinct``, ``limit``, ``loss_difference``, ``gradient_difference`` (both relative),
    ``efficiency``, and those of ``timed_row``.
    """
    cases = QUICK_CASES if quick else CASES
    work = [(family, case) for family in families for case in cases]
    rows: list[dict[str, Any]] = []
    for place, (family, case) in enumerate(work):
        progress(place, len(work), f"{family}, {case.name}, {case.prompt} + {case.segment}")
        torch.manual_seed(settings.seed)
        model = language_model(family, quick).train()
        sequences = case.sequences()
        for loss, step in _losses(sequences, case.prompt, settings).items():
            rows.append(
                {"network": family, "case": shown(case), "loss": loss, **_timed(model, step, settings)}
            )
    progress(len(work), len(work))
    return pd.DataFrame(rows)


def _losses(sequences: Tensor, prompt: int, settings: BenchSettings) -> dict[str, Loss]:
    labels = sequences.clone()
    labels[:, :prompt] = -100
    kept = sequences.shape[1] - prompt + 1

    def of_labels(model: nn.Module) -> Tensor:
        with settings.autocast():
            loss: Tensor = model(input_ids=sequences, labels=labels).loss
        return loss

    def of_logits(model: nn.Module) -> Tensor:
        with settings.autocast():
            logits = model(input_ids=sequences, logits_to_keep=kept).logits
        return F.cross_entropy(logits[:, :-1].flatten(0, 1).float(), sequences[:, prompt:].flatten())

    return {"labels": of_labels, "logits": of_logits}


def _timed(model: nn.Module, loss: Loss, settings: BenchSettings) -> dict[str, Any]:
    handles: list[PrefixHandle] = []

    def dense(called: nn.Module = model) -> tuple[Tensor, list[Tensor]]:
        called.zero_grad()
        found = loss(called)
        torch.autograd.backward(found)
        return found.detach(), [one.grad for one in called.parameters() if one.grad is not None]

    def shared() -> tuple[Tensor, list[Tensor]]:
        handles.append(share_prefixes(model))
        found = dense()
        handles[-1].remove()
        return found

    (expected, gradients), (found, others) = dense(), shared()
    report = handles[0].report()
    worst = max(
        float((one - other).norm() / one.norm().clamp(min=1e-30))
        for one, other in zip(gradients, others, strict=True)
    )
    forms: dict[str, Function] = {DENSE: dense, SHARED: shared}
    if settings.compiled:
        compiled = compile_(copy.deepcopy(model))
        forms[COMPILED] = lambda: dense(compiled)
    row = timed_row(settings.time(forms, WARM_UPS), SHARED)
    return {
        "tokens": report.tokens, "distinct": report.computed, "limit": report.limit,
        "loss_difference": float(abs(expected - found) / expected), "gradient_difference": worst, **row,
        "efficiency": row["speedup"] / report.limit,
    }  # fmt: skip


def shown(case: Case) -> str:
    """A case's name, and the tokens of its prompt and of each level below."""
    parts = [str(case.prompt), *[str(case.segment)] * len(case.branches)]
    return f"{case.name}, {' + '.join(parts)}"
