"""Small language models of transformers, with random weights, and what their steps are compared by."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from mercuric import share_prefixes
from mercuric.torchvision_operators import torchvision  # noqa: F401 - before transformers

from transformers import AutoConfig, AutoModelForCausalLM  # isort: skip

WORDS = 50
_LLAMA = {
    "vocab_size": WORDS, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 64,
    "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "attention_dropout": 0.0,
}  # fmt: skip
_GPT2 = {
    "vocab_size": WORDS, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64, "attn_pdrop": 0.0,
    "embd_pdrop": 0.0, "resid_pdrop": 0.0, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip


def language_model(family: str = "gpt2", attention: str = "sdpa", **changes: Any) -> Any:
    """A model of a family in float64."""
    torch.manual_seed(0)
    sizes = _GPT2 if family == "gpt2" else _LLAMA
    if family == "gpt_neox":
        sizes = {
            name: size for name, size in sizes.items() if name not in ("num_key_value_heads", "head_dim")
        }
    config = AutoConfig.for_model(family, **{**sizes, **changes})
    return AutoModelForCausalLM.from_config(config, attn_implementation=attention).double().train()


def without_float32(model: nn.Module) -> nn.Module:
    """The model with normalisations that stay in float64, where the library's go through float32."""
    for module in model.modules():
        if type(module).__name__.endswith("RMSNorm"):
            module.forward = _normalised.__get__(module)
    return model


def _normalised(module: Any, states: Tensor) -> Tensor:
    return states * torch.rsqrt(states.pow(2).mean(-1, keepdim=True) + 1e-5) * module.weight


def completions(sequences: int = 5, prompt: int = 7, length: int = 5, seed: int = 0) -> Tensor:
    """Completions of one prompt, two of which agree for two tokens more."""
    drawn = torch.Generator().manual_seed(seed)
    prompts = torch.randint(3, WORDS, (1, prompt), generator=drawn).expand(sequences, prompt)
    ids = torch.cat([prompts, torch.randint(3, WORDS, (sequences, length), generator=drawn)], 1)
    ids[1, : prompt + 2] = ids[0, : prompt + 2]
    return ids


def step(model: Any, loss: Callable[[Any], Tensor], **given: Any) -> tuple[Any, Tensor, list[Tensor]]:
    """Output, loss and all gradients of a call."""
    model.zero_grad()
    output = model(**given)
    found = loss(output)
    found.backward()
    gradients = [torch.zeros_like(one) if one.grad is None else one.grad for one in model.parameters()]
    return output, found.detach(), gradients


def both_steps(
    model: Any, loss: Callable[[Any], Tensor], least: float = 0.1, **given: Any
) -> tuple[Any, Any, Any]:
    """A plain step, the same step with prefixes shared, and the report."""
    plain = step(model, loss, **given)
    handle = share_prefixes(model, least=least)
    shared = step(model, loss, **given)
    handle.remove()
    return plain, shared, handle.report()


def furthest(plain: Any, shared: Any) -> float:
    """The largest relative difference of the losses and of any parameter's gradient."""
    (_, loss, expected), (_, found, gradients) = plain, shared
    scale = max(float(one.norm()) for one in expected)
    apart = [
        float((one - other).norm() / one.norm().clamp(min=1e-6 * scale + 1e-300))
        for one, other in zip(expected, gradients, strict=True)
    ]
    return max(float((loss - found).abs() / loss.abs().clamp(min=1.0)), *apart)
