"""What is the Transformer (Vaswani et al., NeurIPS 2017) here?"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mercuric.errors import ArgumentError

WIDTH = 128


def build_transformer(
    vocabulary_size: int,
    width: float = 1.0,
    layers: int = 3,
    heads: int = 4,
    dropout: float = 0.1,
    padding: int = 0,
) -> "Transformer":
    """A small encoder-decoder with fresh weights, drawn from torch's current generator.

    Args:
        vocabulary_size: subwords of both languages together.
        width: scales the 128 features of a subword and the 512 of the feed-forward layers.
        layers: of the encoder, and as many of the decoder.
        heads: of each attention.
        dropout: of embeddings, attention and feed-forward layers, from 0 to below 1.
        padding: the id that fills up short sentences.

    Returns:
        A module in training mode from ids (B, S) and (B, T) to logits (B, T, vocabulary_size).

    Raises:
        ValueError: a number is out of its range.
    """
    for name, value in (("vocabulary_size", vocabulary_size), ("layers", layers), ("heads", heads)):
        if value < 1:
            raise ArgumentError(f"{name} was {value}, but it must be at least 1")
    if not 0 < width < math.inf:
        raise ArgumentError(f"width was {width}, but it must be a positive number")
    if not 0 <= dropout < 1:
        raise ArgumentError(f"dropout was {dropout}, but it must be from 0 to below 1")
    if not 0 <= padding < vocabulary_size:
        raise ArgumentError(f"padding was {padding}, but it must be an id from 0 to {vocabulary_size - 1}")
    features = 2 * heads * max(1, round(WIDTH * width / (2 * heads)))  # sines and cosines for every head
    return Transformer(vocabulary_size, features, layers, heads, dropout, padding)


class Transformer(nn.Module):
    """Translates padded sentences of subword ids.

    Layers are torch's own, normalised first (Xiong et al., ICML 2020). Source, target and output share
    one embedding (Press and Wolf, EACL 2017). Positions are sines, so no sentence is too long.

    Args:
        vocabulary_size: ids of both languages.
        features: of a subword; even, and a multiple of ``heads``.
        layers: of the encoder, and as many of the decoder.
        heads: of each attention.
        dropout: probability.
        padding: the id that stands for nothing.
    """

    def __init__(
        self, vocabulary_size: int, features: int, layers: int, heads: int, dropout: float, padding: int
    ) -> None:
        super().__init__()
        self.padding = padding
        self.embedding = nn.Embedding(vocabulary_size, features, padding_idx=padding)
        self.dropout = nn.Dropout(dropout)
        shape = (features, heads, 4 * features, dropout, _relu)
        self.encoder = nn.ModuleList(
            nn.TransformerEncoderLayer(*shape, batch_first=True, norm_first=True) for _ in range(layers)
        )
        self.encoder_norm = nn.LayerNorm(features)
        self.decoder = nn.ModuleList(
            nn.TransformerDecoderLayer(*shape, batch_first=True, norm_first=True) for _ in range(layers)
        )
        self.decoder_norm = nn.LayerNorm(features)
        self._initialise()

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """The logits of each target position's successor, knowing the source and the target so far.

        Args:
            source: (B, S) int64 ids, padded on the right.
            target: (B, T) int64 ids, padded on the right.

        Returns:
            (B, T, vocabulary_size); those at padding mean nothing.
        """
        return self.logits(self.decode(self.encode(source), target, source == self.padding))

    def encode(self, source: Tensor) -> Tensor:
        """Source ids (B, S) to the memory (B, S, features) that ``decode`` attends to."""
        hidden = source == self.padding
        states = self._embed(source)
        for layer in self.encoder:
            states = layer(states, src_key_padding_mask=hidden)
        return self.encoder_norm(states)  # type: ignore[no-any-return]

    def decode(self, memory: Tensor, target: Tensor, hidden: Tensor) -> Tensor:
        """The states behind the logits.

        Args:
            memory: (B, S, features).
            target: (B, T) int64 ids; padding stands on the right, where the causal mask hides it.
            hidden: (B, S) bool, true where the source is padding.

        Returns:
            (B, T, features).
        """
        length = target.shape[1]
        future = torch.ones(length, length, dtype=torch.bool, device=target.device).triu(1)
        states = self._embed(target)
        for layer in self.decoder:
            states = layer(
                states, memory, tgt_mask=future, tgt_is_causal=True, memory_key_padding_mask=hidden
            )
        return self.decoder_norm(states)  # type: ignore[no-any-return]

    def logits(self, states: Tensor) -> Tensor:
        """States (..., features) to logits (..., vocabulary_size)."""
        return F.linear(states, self.embedding.weight)

    def _embed(self, ids: Tensor) -> Tensor:
        vectors = self.embedding(ids) * math.sqrt(self.embedding.embedding_dim)
        return self.dropout(vectors + positions(ids.shape[1], vectors))  # type: ignore[no-any-return]

    def _initialise(self) -> None:
        for name, parameter in self.named_parameters():
            if parameter.dim() > 1 and not name.startswith("embedding"):
                nn.init.xavier_uniform_(parameter)
        nn.init.normal_(self.embedding.weight, std=self.embedding.embedding_dim**-0.5)
        with torch.no_grad():
            self.embedding.weight[self.padding].zero_()


def positions(length: int, like: Tensor) -> Tensor:
    """The sinusoidal positions (length, features) of Vaswani et al., section 3.5.

    The first half of the features are sines, the second half cosines; type, device and features are
    those of ``like`` (..., features).
    """
    half = like.shape[-1] // 2
    rates = torch.exp(torch.arange(half, device=like.device) * (-math.log(10_000) / half))
    angles = torch.arange(length, device=like.device)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], 1).to(like.dtype)


def _relu(states: Tensor) -> Tensor:
    # Given F.relu itself, torch's encoder layer runs a fused kernel in evaluation mode, past its own
    # sublayers: layers that reuse results in their place would never be called.
    return F.relu(states)
