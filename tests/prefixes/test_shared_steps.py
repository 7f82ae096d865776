"""Are outputs, loss and every gradient those of the plain batch?"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_language_models import (
    WORDS,
    both_steps,
    completions,
    furthest,
    language_model,
    step,
    without_float32,
)  # fmt: skip
from torch import Tensor

from mercuric import share_prefixes
from mercuric.prefixes import FAMILIES
from mercuric.prefixes.late import LateRows

EXACT = 1e-12
SINGLE = 2e-6
"""Where the model itself computes in float32 inside, as its normalisations and the library's loss do."""


def weighed(output: Any) -> Tensor:
    drawn = torch.Generator().manual_seed(1)
    return (output.logits * torch.randn(output.logits.shape, generator=drawn, dtype=torch.float64)).sum()


def padded(ids: Tensor) -> Tensor:
    """A mask with padding on the left, the same for all, and on the right of two."""
    mask = torch.ones_like(ids)
    mask[:, :2] = 0
    mask[2, -2:] = mask[3, -1:] = 0
    return mask


@pytest.mark.parametrize("masked", [False, True], ids=["whole", "padded"])
@pytest.mark.parametrize("family", FAMILIES)
def test_families(family: str, masked: bool) -> None:
    ids = completions()
    given_ = {"input_ids": ids, "use_cache": False, **({"attention_mask": padded(ids)} if masked else {})}
    plain, shared, report = both_steps(language_model(family), weighed, **given_)
    assert (report.shared, report.tokens, report.computed) == (1, 60, 30)
    assert torch.allclose(plain[0].logits, shared[0].logits, rtol=0, atol=SINGLE)
    assert furthest(plain, shared) < SINGLE
    plain, shared, _ = both_steps(without_float32(language_model(family)), weighed, **given_)
    assert torch.allclose(plain[0].logits, shared[0].logits, rtol=0, atol=EXACT)
    assert furthest(plain, shared) < EXACT


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_attention_in_plain_pytorch(family: str) -> None:
    plain, shared, report = both_steps(
        language_model(family, "eager"), weighed, input_ids=completions(), use_cache=False
    )
    assert report.shared == 1
    assert furthest(plain, shared) < (EXACT if family == "gpt2" else SINGLE)


@st.composite
def calls(draw: st.DrawFn) -> dict[str, Any]:
    """Batches of few words with any mask and positions that go on or don't."""
    shape = draw(st.integers(2, 5)), draw(st.integers(1, 12))
    drawn = torch.Generator().manual_seed(draw(st.integers(0, 2**32 - 1)))
    given_: dict[str, Any] = {"input_ids": torch.randint(0, 2, shape, generator=drawn), "use_cache": False}
    if draw(st.booleans()):
        share = draw(st.sampled_from([0.5, 0.9]))
        given_["attention_mask"] = (torch.rand(shape, generator=drawn) < share).long()
    if draw(st.booleans()):
        given_["position_ids"] = torch.randint(0, 3, shape, generator=drawn).cumsum(1)
    elif draw(st.booleans()):
        given_["position_ids"] = torch.arange(shape[1])[None] + 1
    if draw(st.booleans()):
        given_["logits_to_keep"] = draw(st.integers(1, shape[1]))
    return given_


@pytest.fixture(scope="module")
def gpt2() -> Any:
    return language_model("gpt2", n_positions=64)


@settings(max_examples=60)
@given(calls())
def test_drawn_batches(gpt2: Any, given_: dict[str, Any]) -> None:
    plain, shared, report = both_steps(gpt2, weighed, least=0.0, **given_)
    assert report.shared + sum(report.dense.values()) == report.calls == 1
    assert torch.allclose(plain[0].logits, shared[0].logits, rtol=0, atol=EXACT)
    assert furthest(plain, shared) < EXACT


LABELLED: dict[str, Callable[[Tensor], dict[str, Any]]] = {
    "completions": lambda ids: {"labels": ids.where(torch.arange(ids.shape[1]) > 6, -100)},
    "all": lambda ids: {"labels": ids},
    "other words": lambda ids: {"labels": (ids * 7) % WORDS},
    "a number of items": lambda ids: {"labels": ids, "num_items_in_batch": torch.tensor(77)},
    "moved before": lambda ids: {"labels": ids, "shift_labels": ids.roll(-1, 1)},
}


@pytest.mark.parametrize("masked", [False, True], ids=["whole", "padded"])
@pytest.mark.parametrize("named", LABELLED)
def test_labels(named: str, masked: bool) -> None:
    ids = completions()
    given_ = {"attention_mask": padded(ids)} if masked else {}
    given_ |= {"input_ids": ids, "use_cache": False, **LABELLED[named](ids)}
    plain, shared, report = both_steps(language_model("gpt2"), lambda output: output.loss, **given_)
    assert report.shared == 1
    assert isinstance(shared[0].logits, LateRows)
    assert furthest(plain, shared) < SINGLE
    assert list(plain[0]) == list(shared[0])
    assert torch.allclose(plain[0].logits, shared[0].logits.detach(), rtol=0, atol=EXACT)


def test_labels_of_nothing_give_what_the_plain_model_gives() -> None:
    model, ids = language_model("gpt2"), completions()
    share_prefixes(model)
    loss = model(input_ids=ids, labels=torch.full_like(ids, -100), use_cache=False).loss
    assert loss.isnan()


def test_a_loss_of_ones_own() -> None:
    model, ids = language_model("gpt2"), completions()

    def squared(logits: Tensor, labels: Tensor, vocab_size: int, **_: Any) -> Tensor:
        return (logits[:, :-1].flatten(0, 1)[:, :vocab_size].square().mean(1) * labels[:, 1:].flatten()).sum()

    model.loss_function = squared
    plain, shared, report = both_steps(
        model, lambda output: output.loss, input_ids=ids, labels=ids, use_cache=False
    )
    assert report.shared == 1
    assert furthest(plain, shared) < EXACT


def test_logits_that_are_read_beside_a_loss() -> None:
    ids = completions()

    def loss(output: Any) -> Tensor:
        read = output.logits.log_softmax(-1)[:, :, 3].sum() + output.logits[1].square().mean()
        return output.loss.double() + read + output.logits.argmax(-1).sum()

    plain, shared, report = both_steps(
        language_model("gpt2"), loss, input_ids=ids, labels=ids, use_cache=False
    )
    assert report.shared == 1
    assert furthest(plain, shared) < SINGLE


@pytest.mark.parametrize("keep", [1, 4, torch.tensor([2, 7, 11])], ids=str)
def test_logits_to_keep_leave_nodes_out(keep: Any) -> None:
    ids = completions()
    plain, shared, report = both_steps(
        language_model("gpt2"), weighed, input_ids=ids, attention_mask=padded(ids), logits_to_keep=keep,
        use_cache=False,
    )  # fmt: skip
    assert report.shared == 1 and report.computed <= 28
    assert torch.allclose(plain[0].logits, shared[0].logits, rtol=0, atol=EXACT)
    assert furthest(plain, shared) < EXACT


@pytest.mark.parametrize("keep", [0, 3])
def test_hidden_states(keep: int) -> None:
    def loss(output: Any) -> Tensor:
        return weighed(output) + sum(one.sin().sum() for one in output.hidden_states)

    ids = completions()
    plain, shared, report = both_steps(
        language_model("gpt2"), loss, input_ids=ids, attention_mask=padded(ids), logits_to_keep=keep,
        output_hidden_states=True, use_cache=False,
    )  # fmt: skip
    assert report.shared == 1
    assert len(plain[0].hidden_states) == len(shared[0].hidden_states) == 3
    assert furthest(plain, shared) < EXACT


def test_trees_of_trajectories() -> None:
    drawn = torch.Generator().manual_seed(3)

    def below(path: Tensor, level: int) -> list[Tensor]:
        if level == 4:
            return [path]
        turns = [torch.randint(3, WORDS, (2 + level,), generator=drawn) for _ in range(level % 2 + 2)]
        return [leaf for turn in turns for leaf in below(torch.cat([path, turn]), level + 1)]

    ids = torch.stack(below(torch.randint(3, WORDS, (40,), generator=drawn), 0))
    plain, shared, report = both_steps(language_model("gpt2"), weighed, input_ids=ids, use_cache=False)
    assert report.limit > 6
    assert furthest(plain, shared) < EXACT


def test_padding_that_differs_makes_other_prefixes() -> None:
    ids = completions(4)
    mask = torch.ones_like(ids)
    mask[0, :1] = mask[1, :3] = 0
    plain, shared, report = both_steps(
        language_model("gpt2"), weighed, input_ids=ids, attention_mask=mask, use_cache=False
    )
    assert report.computed == 48 - 7 - 1  # of the first two, one token of padding is alike
    assert furthest(plain, shared) < EXACT


def test_a_network_without_its_head() -> None:
    model, ids = without_float32(language_model("llama")), completions()
    plain, shared, report = both_steps(
        model.model, lambda output: output.last_hidden_state.square().sum(), input_ids=ids, use_cache=False
    )
    assert report.shared == 1
    assert furthest(plain, shared) < EXACT


def test_a_classifier_shares_its_network() -> None:
    from transformers import GPT2Config, GPT2ForSequenceClassification

    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=WORDS, n_embd=32, n_layer=2, n_head=4, attn_pdrop=0.0, embd_pdrop=0.0, resid_pdrop=0.0,
        pad_token_id=0, bos_token_id=1, eos_token_id=2,
    )  # fmt: skip
    model, ids = GPT2ForSequenceClassification(config).double(), completions()
    plain, shared, report = both_steps(
        model, lambda output: output.logits.square().sum(), input_ids=ids, use_cache=False
    )
    assert report.shared == 1
    assert furthest(plain, shared) < EXACT


def test_a_batch_in_float32_is_as_near_as_rounding() -> None:
    ids = completions(8, 30, 6)
    model = language_model("llama").float()
    plain, shared, _ = both_steps(
        model, lambda output: output.loss, input_ids=ids, labels=ids, use_cache=False
    )
    assert furthest(plain, shared) < 1e-5


def test_nothing_shared_is_left_to_the_model() -> None:
    model, ids = language_model("gpt2"), torch.arange(3, 33).view(3, 10)
    plain = step(model, weighed, input_ids=ids, use_cache=False)
    handle = share_prefixes(model)
    found = step(model, weighed, input_ids=ids, use_cache=False)
    assert torch.equal(plain[0].logits, found[0].logits)
    assert handle.report().dense == {"less than 10% of the tokens repeat": 1}
    assert handle.report().share == 0
