"""Which models can be followed, and why not the others?

A tree stands for a batch where a token's state depends on the tokens before it through attention under a mask
alone, on its position through ``position_ids`` alone, and on no chance.
"""

from torch import nn

FAMILIES = ("gemma", "gpt2", "gpt_neox", "granite", "llama", "mistral", "olmo2", "phi3", "qwen2", "qwen3")
"""Types of transformers' models whose code was read and whose numbers are tested."""
_ATTENTION = ("eager", "sdpa")
_LENGTH_DEPENDENT = ("dynamic", "longrope")
_DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)


def why_not_followed(model: nn.Module) -> str | None:
    """Why a model of transformers is computed densely whatever it is given; None where it can be followed."""
    config = getattr(model, "config", None)
    family = getattr(config, "model_type", type(model).__name__)
    if family not in FAMILIES:
        return f"{family} is no model whose tokens are known to depend on their prefix alone"
    if getattr(config, "add_cross_attention", False):
        return "it attends to an encoder"
    if not getattr(config, "is_causal", True):
        return "its attention isn't causal"
    if set(getattr(config, "layer_types", None) or ()) - {"full_attention", "sliding_attention"}:
        return "some of its layers are no plain attention"
    attention = getattr(config, "_attn_implementation", None)
    if attention not in _ATTENTION:
        return f"its attention is {attention}, not {' or '.join(_ATTENTION)}"
    if (getattr(config, "rope_parameters", None) or {}).get("rope_type") in _LENGTH_DEPENDENT:
        return "its rotations depend on how long the batch is"
    return None


def least_window(model: nn.Module) -> int | None:
    """How many tokens back the layers see that see least; None where all see everything."""
    config = getattr(model, "config", None)
    kinds = getattr(config, "layer_types", None)
    if kinds is not None and "sliding_attention" not in kinds:
        return None
    window: int | None = getattr(config, "sliding_window", None)
    return window


def drops_at_random(model: nn.Module) -> bool:
    """Whether some layer drops values by chance as the model now is."""
    return any(module.training and _rate(module) > 0 for module in model.modules())


def _rate(module: nn.Module) -> float:
    rate = module.p if isinstance(module, _DROPOUTS) else getattr(module, "attention_dropout", 0.0)
    return rate if isinstance(rate, float | int) else 0.0
