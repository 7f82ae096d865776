"""Are a user's mistakes told in one sentence that names the layer?"""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mercuric import AdaptationConfig, ReuseConfig, restore_, reuse_


class Own(nn.Module):
    """Attention of one's own."""

    def forward(self, words: Tensor, mask: Tensor | None = None, is_causal: bool = False) -> Tensor:
        return F.scaled_dot_product_attention(words, words, words, mask, is_causal=is_causal)


@pytest.fixture
def model() -> nn.ModuleDict:
    """Both kinds of attention, with reuse."""
    model = nn.ModuleDict({"heads": nn.MultiheadAttention(8, 2, batch_first=True), "own": Own()})
    reuse_(model)
    return model


WORDS = torch.randn(3, 5, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("masks", "sentence"),
    [
        (
            {"key_padding_mask": torch.zeros(3, 4, dtype=torch.bool)},
            r"key_padding_mask of layer 'heads' was \(3, 4\), but must be \(3, 5\)",
        ),
        (
            {"attn_mask": torch.zeros(5, 4)},
            r"attn_mask of layer 'heads' was \(5, 4\), but must be \(5, 5\) or \(6, 5, 5\)",
        ),
        ({"attn_mask": torch.zeros(3, 5, 5)}, r"attn_mask of layer 'heads' was \(3, 5, 5\), but must be"),
        (
            {"attn_mask": torch.zeros(5, 5, dtype=torch.int64)},
            r"attn_mask of layer 'heads' was torch\.int64, but must be bool or floating",
        ),
        ({"is_causal": True}, "is_causal of layer 'heads' was True, but needs attn_mask with it"),
    ],
)
def test_masks_of_multihead_attention(model: nn.ModuleDict, masks: dict[str, Tensor], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}"):
        model["heads"](WORDS, WORDS, WORDS, **masks)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((torch.zeros(5, 4),), r"attn_mask of layer 'own' was \(5, 4\), but must broadcast to \(3, 5, 5\)"),
        ((torch.zeros(1, 3, 5, 5),), r"attn_mask of layer 'own' was \(1, 3, 5, 5\), but must broadcast to"),
        ((torch.zeros(5, 5, dtype=torch.uint8),), r"attn_mask of layer 'own' was torch\.uint8, but must be"),
        ((torch.zeros(5, 5), True), "layer 'own' was given an attn_mask and is_causal=True"),
    ],
)
def test_masks_of_own_attention(model: nn.ModuleDict, arguments: tuple[Tensor, ...], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}"):
        model["own"](WORDS, *arguments)


def test_attention_that_shares_its_weights() -> None:
    layer = nn.MultiheadAttention(8, 2)
    other = nn.MultiheadAttention(8, 2)
    other.in_proj_weight = layer.in_proj_weight
    model = nn.ModuleList([layer, other])
    with pytest.raises(ValueError, match=r"^layers '0' and '1' share their weights"):
        reuse_(model)
    assert [type(module) for module in model] == [nn.MultiheadAttention] * 2


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_no_number(loss: float) -> None:
    handle = reuse_(nn.Sequential(nn.Linear(4, 4)), ReuseConfig.paper())
    with pytest.raises(ValueError, match=rf"^loss was {loss} at step 1, but must be finite$"):
        handle.step(torch.tensor(loss))


def test_a_checkpoint_of_another_adaptation() -> None:
    model = nn.Sequential(nn.Linear(4, 4))
    saved = reuse_(model, ReuseConfig(adaptation=AdaptationConfig(patience=7))).state_dict()
    restore_(model)
    for other in (None, AdaptationConfig(patience=8)):
        handle = reuse_(model, ReuseConfig(adaptation=other))
        with pytest.raises(ValueError, match=r"^the state is of another model with reuse: adaptation was "):
            handle.load_state_dict(saved)
        restore_(model)


def test_attention_around_attention_counts_its_own_rows() -> None:
    class Around(Own):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.MultiheadAttention(8, 2, batch_first=True)
            self.own = Own()

        def forward(self, words: Tensor) -> Tensor:  # type: ignore[override]
            rows = F.scaled_dot_product_attention(words, words, words)
            result: Tensor = self.own(rows) + self.inner(words, words, words, need_weights=False)[0]
            return result

    model = nn.Sequential(Around())
    handle = reuse_(model)
    model(WORDS)
    vectors = handle.report().set_index("layer")["vectors"]
    assert vectors[["0", "0.own", "0.inner"]].tolist() == [15, 15, 30]


def test_ranks_compare_their_state_at_the_first_step_and_after_loading(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[dict[str, object]] = []
    monkeypatch.setattr("mercuric.reuse.handle.require_same", compared.append)
    handle = reuse_(nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4)), ReuseConfig.paper())
    handle.step(1.0)
    handle.step(1.0)
    handle.switch_off("0")
    handle.load_state_dict(handle.state_dict())
    handle.step(1.0)
    assert [one["layers that are on"] for one in compared] == [["0", "1"], ["1"]]
    assert compared[0]["bits of the layers"] == {"0": 20, "1": 20}
    assert compared[0]["adaptation so far"] != compared[1]["adaptation so far"]
