"""How much faster does a language model train on a batch whose sequences begin alike?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mercuric.errors import MercuricError
from mercuric.prefixes import PrefixHandle, share_prefixes
from mercuric.progress import Progress, silent
from mercuric.studies.bench.layer_times import DENSE, timed_row
from mercuric.studies.bench.settings import BenchSettings

Family = Literal["llama", "gpt2"]
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
        MercuricError: transformers is not installed.
    """
    try:
        from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM
    except ModuleNotFoundError as error:
        raise MercuricError("language models need transformers: pip install transformers") from error
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
        for loss, step in _steps(model, sequences, case.prompt, settings).items():
            rows.append(
                {"network": family, "case": _shown(case), "loss": loss, **_timed(model, step, settings)}
            )
    progress(len(work), len(work))
    return pd.DataFrame(rows)


def _steps(
    model: Any, sequences: Tensor, prompt: int, settings: BenchSettings
) -> dict[str, Callable[[], Tensor]]:
    labels = sequences.clone()
    labels[:, :prompt] = -100
    kept = sequences.shape[1] - prompt + 1

    def of_labels() -> Tensor:
        with settings.autocast():
            loss: Tensor = model(input_ids=sequences, labels=labels).loss
        return loss

    def of_logits() -> Tensor:
        with settings.autocast():
            logits = model(input_ids=sequences, logits_to_keep=kept).logits
        return F.cross_entropy(logits[:, :-1].flatten(0, 1).float(), sequences[:, prompt:].flatten())

    return {"labels": of_labels, "logits": of_logits}


def _timed(model: nn.Module, step: Callable[[], Tensor], settings: BenchSettings) -> dict[str, Any]:
    handles: list[PrefixHandle] = []

    def run(share: bool) -> tuple[Tensor, list[Tensor]]:
        model.zero_grad()
        handle = share_prefixes(model) if share else None
        loss = step()
        torch.autograd.backward(loss)
        if handle is not None:
            handle.remove()
            handles.append(handle)
        return loss.detach(), [one.grad for one in model.parameters() if one.grad is not None]

    (loss, expected), (found, gradients) = run(share=False), run(share=True)
    report = handles[0].report()
    worst = max(
        float((one - other).norm() / one.norm().clamp(min=1e-30))
        for one, other in zip(expected, gradients, strict=True)
    )
    timings = settings.time({DENSE: lambda: run(share=False), SHARED: lambda: run(share=True)}, WARM_UPS)
    row = timed_row(timings, SHARED)
    return {
        "tokens": report.tokens, "distinct": report.computed, "limit": report.limit,
        "loss_difference": float(abs(loss - found) / loss), "gradient_difference": worst, **row,
        "efficiency": row["speedup"] / report.limit,
    }  # fmt: skip


def _shown(case: Case) -> str:
    parts = [str(case.prompt), *[str(case.segment)] * len(case.branches)]
    return f"{case.name}, {' + '.join(parts)}"
