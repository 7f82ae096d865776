"""Does PyTorch's fused inference leave reuse alone, and come back after it?"""

import copy
import warnings

import pytest
import torch
from torch import Tensor, nn
from torch.profiler import profile

from mercuric import ReuseConfig, restore_, reuse_

FUSED = "aten::_transformer_encoder_layer_fwd"
LENGTHS = torch.tensor([5, 3, 4])
PADDING = torch.arange(5) >= LENGTHS[:, None]


def noise(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def encoder() -> nn.TransformerEncoder:
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(16, 2, 24, batch_first=True)
    return nn.TransformerEncoder(layer, 2).eval()


def encoded(model: nn.Module, words: Tensor, padding: Tensor | None) -> tuple[Tensor, bool]:
    """Output at the words that are not padding, and whether the fused kernel made it."""
    with torch.no_grad(), warnings.catch_warnings(), profile() as recorded:
        warnings.filterwarnings("ignore", "The PyTorch API of nested tensors")
        output = model(words, src_key_padding_mask=padding)
    fused = any(event.key == FUSED for event in recorded.key_averages())
    return output if padding is None else output[~padding], fused


@pytest.mark.parametrize("padding", [None, PADDING], ids=["whole", "padded"])
@pytest.mark.parametrize("dense", ["", "self_attn", "linear1"])
def test_an_encoder_in_evaluation_reuses(padding: Tensor | None, dense: str) -> None:
    """Noise and 128 bits: no two vectors are alike, so the fused kernel must agree."""
    model, words = encoder(), noise(3, 5, 16)
    expected, fused = encoded(model, words, padding)
    assert fused
    handle = reuse_(
        model,
        ReuseConfig(bits=128, entries=None),
        filter_fn=lambda _, name: not dense or not name.endswith(dense),
    )
    for _ in range(2):
        output, fused = encoded(model, words, padding)
        torch.testing.assert_close(output, expected, rtol=1e-4, atol=1e-5)
        assert not fused
        assert (handle.report()["vectors"] > 0).all()
        handle.reset()
        copied, fused = encoded(copy.deepcopy(model), words, padding)
        assert torch.equal(copied, output)
        assert not fused
        assert (handle.report()["vectors"] == 0).all()
    handle.switch_off()
    output, _ = encoded(model, words, padding)
    torch.testing.assert_close(output, expected, rtol=1e-4, atol=1e-5)
    restore_(model)
    assert encoded(model, words, padding)[1]
    assert torch.equal(encoded(model, words, padding)[0], expected)
    assert encoder().__dict__.keys() == model.__dict__.keys()


def test_an_encoder_without_reuse_keeps_its_fused_kernel() -> None:
    model = nn.ModuleDict({"dense": encoder(), "other": nn.Linear(16, 4)})
    reuse_(model, filter_fn=lambda _, name: name == "other")
    assert encoded(model["dense"], noise(3, 5, 16), PADDING)[1]


@pytest.mark.parametrize("whole", [True, False])
def test_decoders_reuse_in_evaluation(whole: bool) -> None:
    torch.manual_seed(0)
    if whole:
        model: nn.Module = nn.Transformer(16, 2, 1, 2, 24, batch_first=True).eval()
    else:
        model = nn.TransformerDecoder(nn.TransformerDecoderLayer(16, 2, 24, batch_first=True), 2).eval()
    sentence, words = noise(3, 5, 16), noise(3, 4, 16)
    inputs = (sentence, words) if whole else (words, sentence)
    masks = {"memory_key_padding_mask": PADDING, "tgt_key_padding_mask": PADDING[:, :4]}
    if whole:
        masks["src_key_padding_mask"] = PADDING
    causal = nn.Transformer.generate_square_subsequent_mask(4, dtype=torch.bool)
    with torch.no_grad():
        expected = model(*inputs, tgt_mask=causal, tgt_is_causal=True, **masks)
        handle = reuse_(model, ReuseConfig(bits=128, entries=None))
        output = model(*inputs, tgt_mask=causal, tgt_is_causal=True, **masks)
    torch.testing.assert_close(output, expected, rtol=1e-4, atol=1e-5)
    assert (handle.report()["vectors"] > 0).all()
