"""What can no tree stand for, and is it left as it is, and said?"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from tiny_language_models import WORDS, completions, language_model
from torch import nn

import mercuric
from mercuric import share_prefixes
from mercuric.prefixes.followed import why_not_followed

from transformers import AutoConfig, AutoModelForCausalLM  # isort: skip

IDS = completions()
CALLS: dict[str, tuple[dict[str, Any], str]] = {
    "embeddings": ({"input_ids": None, "inputs_embeds": torch.zeros(5, 4, 32).double()}, "inputs_embeds"),
    "types": ({"token_type_ids": torch.zeros_like(IDS)}, "token_type_ids"),
    "a mask of four dimensions": ({"attention_mask": torch.zeros(5, 1, 12, 12).double()}, "attention_mask"),
    "a cache": ({"use_cache": True}, "keeps a cache"),
    "attentions": ({"output_attentions": True}, "attentions"),
    "one sequence": ({"input_ids": IDS[:1]}, "one sequence"),
    "packed sequences": ({"position_ids": (torch.arange(12) % 5).expand(5, 12)}, "packed"),
}


@pytest.mark.parametrize("name", CALLS)
def test_calls(name: str) -> None:
    given, said = CALLS[name]
    model = language_model("gpt2", "eager" if name == "attentions" else "sdpa")
    given = {"input_ids": IDS, "use_cache": False, **given}
    plain = model(**given)
    handle = share_prefixes(model)
    found = model(**given)
    report = handle.report()
    assert (report.calls, report.shared) == (1, 0)
    assert said in next(iter(report.dense)) and said in str(report)
    assert torch.equal(plain.logits, found.logits)
    assert type(found) is type(plain)
    assert getattr(found, "past_key_values", None) is None or name == "a cache"


def test_a_head_that_gives_a_tuple_shares_its_network() -> None:
    model = language_model("gpt2")
    given = {"input_ids": IDS, "use_cache": False, "return_dict": False}
    (plain,) = model(**given)
    handle = share_prefixes(model)
    (found,) = model(**given)
    assert handle.report().shared == 1
    assert torch.allclose(plain, found)
    model.transformer(**given)
    assert handle.report().dense == {"the call wants a tuple": 1}


def test_a_cache_that_a_configuration_asks_for_is_kept_unless_the_model_trains() -> None:
    model = language_model("gpt2").eval()
    handle = share_prefixes(model)
    assert model(input_ids=IDS).past_key_values is not None
    assert model.train()(input_ids=IDS).past_key_values is None
    assert (handle.report().calls, handle.report().shared) == (2, 1)


def test_chance() -> None:
    model = language_model("gpt2", resid_pdrop=0.1)
    handle = share_prefixes(model)
    model(input_ids=IDS)
    assert handle.report().dense == {"dropout is on, and each copy of a prefix drops other values": 1}
    model.eval()(input_ids=IDS, use_cache=False)
    assert handle.report().shared == 1


def test_chance_in_attention() -> None:
    model = language_model("llama", attention_dropout=0.1)
    handle = share_prefixes(model)
    model(input_ids=IDS)
    assert handle.report().shared == 0 and "dropout" in str(handle.report())


@pytest.mark.parametrize(("window", "shared"), [(12, 1), (11, 0)])
def test_windows(window: int, shared: int) -> None:
    model = language_model("mistral", sliding_window=window)
    plain = model(input_ids=IDS, use_cache=False).logits
    handle = share_prefixes(model)
    found = model(input_ids=IDS, use_cache=False).logits
    assert handle.report().shared == shared
    assert torch.allclose(plain, found, atol=1e-7)


def test_padding_that_sees_nothing_outside_sdpa() -> None:
    mask = torch.ones_like(IDS)
    mask[:, :2] = 0
    model = language_model("gpt2", "eager")
    handle = share_prefixes(model)
    model(input_ids=IDS, attention_mask=mask, use_cache=False)
    assert "padding that sees nothing" in str(handle.report())
    model(input_ids=IDS, attention_mask=mask, logits_to_keep=3, use_cache=False)
    assert handle.report().shared == 1


def test_positions_that_a_head_keeps_in_its_own_way_share_the_network() -> None:
    model = language_model("gpt2")
    keep = torch.arange(3).expand(5, 3)
    plain = model(input_ids=IDS, logits_to_keep=keep, use_cache=False).logits
    handle = share_prefixes(model)
    assert torch.allclose(plain, model(input_ids=IDS, logits_to_keep=keep, use_cache=False).logits)
    assert (handle.report().calls, handle.report().shared) == (1, 1)


def test_transforms() -> None:
    model = language_model("gpt2", "eager")
    handle = share_prefixes(model)
    weights = dict(model.named_parameters())

    def loss(changed: dict[str, Any]) -> torch.Tensor:
        given = {"input_ids": IDS, "use_cache": False}
        return torch.func.functional_call(model, changed, (), given).logits.square().mean()

    found = torch.func.grad(loss)(weights)
    assert set(found) == set(weights)
    assert "torch.func" in str(handle.report())


MODELS: dict[str, Callable[[], nn.Module]] = {
    "mamba": lambda: AutoModelForCausalLM.from_config(
        AutoConfig.for_model("mamba", vocab_size=WORDS, hidden_size=16, num_hidden_layers=1, state_size=4)
    ),
    "windows in some layers": lambda: language_model(
        "qwen2", use_sliding_window=True, sliding_window=4, max_window_layers=1
    ),
    "rotations by length": lambda: language_model(
        "llama", rope_parameters={"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10000.0}
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_models(name: str) -> None:
    model = MODELS[name]()
    with torch.no_grad():
        plain = model(input_ids=IDS, use_cache=False).logits
        handle = share_prefixes(model)
        found = model(input_ids=IDS, use_cache=False).logits
    assert torch.equal(plain, found)
    assert (handle.report().calls, handle.report().shared) == (1, 0)


def test_why_a_model_is_not_followed() -> None:
    model = language_model("llama")
    assert why_not_followed(model) is None
    model.config._attn_implementation = "flash_attention_2"
    assert why_not_followed(model) == "its attention is flash_attention_2, not eager or sdpa"
    model.config.layer_types = ["linear_attention"]
    assert why_not_followed(model) == "some of its layers are no plain attention"
    model.config.is_causal = False
    assert why_not_followed(model) == "its attention isn't causal"
    model.config.add_cross_attention = True
    assert why_not_followed(model) == "it attends to an encoder"
    assert "Linear is no model" in str(why_not_followed(nn.Linear(2, 2)))


@pytest.mark.parametrize(
    ("model", "least", "said"),
    [
        (5, 0.1, "model was 5, but must be a model of transformers"),
        (nn.Linear(2, 2), 0.1, "model was a Linear, but must be a model of transformers"),
        (None, 2.0, "least was 2.0, but must be a share from 0 to 1"),
        (None, "much", "least was 'much', but must be a share from 0 to 1"),
    ],
    ids=str,
)
def test_wrong_arguments(model: Any, least: Any, said: str) -> None:
    with pytest.raises(mercuric.ArgumentError, match=said):
        share_prefixes(language_model() if model is None else model, least=least)


def test_a_model_shares_once() -> None:
    model = language_model()
    handle = share_prefixes(model)
    with pytest.raises(mercuric.ArgumentError, match=r"shares its prefixes already"):
        share_prefixes(model)
    handle.remove()
    share_prefixes(model)
