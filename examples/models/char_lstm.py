"""A character model: an LSTM that predicts the next character."""

from __future__ import annotations

from typing import Any

import wengert as wg
from wengert import nn


class CharLSTM(nn.Module):
    """An embedding, LSTM layers and a linear layer.

    Args:
        vocabulary: how many different characters.
        width: of the embedding and of the state.
        layers: how many LSTM layers.
        dropout: between the layers.

    References:
        A. Graves, "Generating sequences with recurrent neural networks", arXiv:1308.0850.
    """

    def __init__(self, vocabulary: int, width: int = 256, layers: int = 1, dropout: float = 0.0) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.lstm = nn.LSTM(width, width, layers, dropout=dropout, batch_first=True)
        self.head = nn.Linear(width, vocabulary)

    def forward(self, x: wg.Tensor, state: Any = None) -> tuple[wg.Tensor, Any]:  # (N, T)
        y, state = self.lstm(self.embedding(x), state)  # (N, T, width)
        return self.head(y), state  # (N, T, vocabulary)

    @wg.no_grad()
    def generate(self, start: wg.Tensor, count: int, temperature: float = 1.0) -> wg.Tensor:
        """``start`` (N, T) and ``count`` characters more."""
        logits, state = self(start)
        characters = [start]
        for _ in range(count):
            chosen = wg.multinomial((logits[:, -1] / temperature).softmax(-1), 1)  # (N, 1)
            characters.append(chosen)
            logits, state = self(chosen, state)
        return wg.cat(characters, dim=1)
