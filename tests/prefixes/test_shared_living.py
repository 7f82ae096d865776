"""Do sharing models train, copy, save, generate and are wrapped as plain ones?"""

import copy
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_language_models import both_steps, completions, furthest, language_model, step
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from mercuric import share_prefixes
from mercuric.prefixes.late import chosen_rows

IDS = completions()
GIVEN = {"input_ids": IDS, "use_cache": False}


def squares(output: Any) -> Tensor:
    return output.logits.square().sum()


@pytest.mark.parametrize("reentrant", [False, True])
@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_recomputation(family: str, reentrant: bool) -> None:
    model = language_model(family)
    plain = step(model, squares, **GIVEN)
    model.gradient_checkpointing_enable({"use_reentrant": reentrant})
    model.enable_input_require_grads()
    handle = share_prefixes(model)
    shared = step(model, squares, **GIVEN)
    assert handle.report().shared == 1
    assert furthest(plain, shared) < 2e-6


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_mixed_precision(family: str) -> None:
    model = language_model(family).float()

    def loss(output: Any) -> Tensor:
        return output.logits.float().square().mean()

    with torch.autocast("cpu", torch.bfloat16):
        plain, shared, report = both_steps(model, loss, **GIVEN)
    assert report.shared == 1
    assert plain[0].logits.dtype == shared[0].logits.dtype == torch.bfloat16
    assert furthest(plain, shared) < 0.05


def test_nothing_of_the_model_changes(tmp_path: Path) -> None:
    model = language_model()
    before, kind = {name: one.clone() for name, one in model.state_dict().items()}, type(model)
    handle = share_prefixes(model)
    assert type(model) is kind and list(model.state_dict()) == list(before)
    model.save_pretrained(tmp_path)
    again = kind.from_pretrained(tmp_path).double()
    assert all(torch.equal(one, before[name]) for name, one in again.state_dict().items())
    handle.remove()
    assert not any(module._forward_pre_hooks or module._forward_hooks for module in model.modules())
    model(**GIVEN)
    assert handle.report().calls == 0


def test_generation_is_the_plain_models() -> None:
    model, asked = language_model().eval(), {"max_new_tokens": 6, "do_sample": False}
    mask = torch.ones_like(IDS)
    plain = model.generate(IDS, attention_mask=mask, **asked)
    share_prefixes(model)
    assert torch.equal(plain, model.generate(IDS, attention_mask=mask, **asked))
    assert torch.equal(plain, model.generate(IDS, attention_mask=mask, use_cache=False, **asked))


def test_copies_share_on_their_own() -> None:
    model = language_model()
    handle = share_prefixes(model)
    other = copy.deepcopy(model)
    with torch.no_grad():
        other.lm_head.weight.add_(1.0)
    expected = step(model, squares, **GIVEN)[1]
    assert step(other, squares, **GIVEN)[1] != expected
    assert handle.report().calls == 1


class Around(nn.Module):
    """Calls a model's forward as PEFT does, past the hooks of the model itself."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.inner, self.config, self.base_model = model, model.config, model

    def get_base_model(self) -> Any:
        return self.inner

    def forward(self, input_ids: Any = None, attention_mask: Any = None, **given: Any) -> Any:
        return self.inner.forward(input_ids=input_ids, attention_mask=attention_mask, **given)


@pytest.mark.parametrize("outside", [False, True], ids=["shared, then wrapped", "wrapped, then shared"])
def test_wrappers_that_call_forward(outside: bool) -> None:
    model = language_model()
    plain = step(model, squares, **GIVEN)
    wrapped = Around(model)
    handle = share_prefixes(wrapped if outside else model)
    shared = step(wrapped, squares, **GIVEN)
    assert (handle.report().calls, handle.report().shared) == (1, 1)
    assert furthest(plain, shared) < 1e-12


def test_arguments_by_place() -> None:
    model = language_model("llama")
    plain = model(IDS, torch.ones_like(IDS), use_cache=False).logits
    handle = share_prefixes(model)
    found = model(IDS, torch.ones_like(IDS), use_cache=False).logits
    assert handle.report().shared == 1
    assert torch.allclose(plain, found, atol=1e-7)


def test_distributed(tmp_path: Path) -> None:
    torch.distributed.init_process_group("gloo", f"file://{tmp_path / 'meet'}", rank=0, world_size=1)
    try:
        model = language_model()
        plain = step(model, squares, **GIVEN)
        handle = share_prefixes(model)
        shared = step(DistributedDataParallel(model), squares, **GIVEN)
        assert handle.report().shared == 1
        assert furthest(plain, shared) < 1e-12
    finally:
        torch.distributed.destroy_process_group()


def test_two_threads() -> None:
    model = language_model()
    batches = [completions(seed=seed) for seed in range(6)]

    def logits(ids: Tensor) -> Tensor:
        return model(input_ids=ids, use_cache=False).logits.detach()

    plain = [logits(ids) for ids in batches]
    share_prefixes(model)
    with ThreadPoolExecutor(2) as pool:
        assert all(
            torch.allclose(one, other) for one, other in zip(plain, pool.map(logits, batches), strict=True)
        )


def test_a_call_that_fails_leaves_nothing_behind() -> None:
    model = language_model()
    handle = share_prefixes(model)
    with pytest.raises(IndexError):
        model(input_ids=IDS.where(IDS[0, 0] != IDS, 10**6), use_cache=False)
    model(**GIVEN)
    assert handle.report().shared == 2


READS = (
    lambda one: one.sum(),
    lambda one: one[1].exp().mean(),
    lambda one: one.log_softmax(-1)[..., 0].sum(),
    lambda one: (one * 2 + one.detach()).square().sum(),
    lambda one: one.flatten(0, 1).index_select(0, torch.tensor([3, 3])).sum(),
    lambda one: torch.cat([one, one], 1).float().cumsum(1).sum().double(),
    lambda one: one.div_(3.0).square().sum(),
)


@pytest.mark.parametrize("read", READS)
def test_late_rows_are_rows(read: Any) -> None:
    rows = torch.randn(4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    where = torch.tensor([[0, 1, 1], [3, 0, 0]])
    plain, late = chosen_rows(rows, where), chosen_rows(rows, where, late=True)
    assert late.made is None and late.shape == plain.shape == (2, 3, 5)
    expected, found = read(plain), read(late)
    assert late.made is not None
    assert torch.equal(expected, found)
    gradients = (torch.autograd.grad(one, rows)[0] for one in (expected, found))
    assert torch.allclose(*gradients, rtol=1e-12)
    assert repr(chosen_rows(rows, where, late=True)).startswith("tensor([[[")


@pytest.mark.parametrize("late", [False, True])
def test_gradients_of_16_bits_are_added_up_in_32(late: bool) -> None:
    rows, where = torch.zeros(2, 3, dtype=torch.bfloat16, requires_grad=True), torch.zeros(1000).long()
    chosen_rows(rows, where, late).sum().backward()
    assert rows.grad is not None and rows.grad.tolist() == [[1000] * 3, [0] * 3]
