"""A GPT: a stack of transformer blocks that predicts the next token."""

from __future__ import annotations

import math

import wengert as wg
from wengert import nn
from wengert.nn import functional as F


class Block(nn.Module):
    """Causal self-attention and a two-layer network, each beside a shortcut and after a norm."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.ln_1 = nn.LayerNorm(width)
        self.attn = nn.ModuleDict({"c_attn": nn.Linear(width, 3 * width), "c_proj": nn.Linear(width, width)})
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = nn.ModuleDict({"c_fc": nn.Linear(width, 4 * width), "c_proj": nn.Linear(4 * width, width)})

    def attend(self, x: wg.Tensor) -> wg.Tensor:  # (B, T, C)
        b, t, c = x.shape
        q, k, v = (
            part.view(b, t, self.heads, c // self.heads).transpose(1, 2)  # (B, nh, T, hs)
            for part in self.attn["c_attn"](x).split(c, dim=2)
        )
        dropout = self.dropout if self.training else 0.0
        y = F.scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=True)  # (B, nh, T, hs)
        y = self.attn["c_proj"](y.transpose(1, 2).reshape(b, t, c))  # (B, T, C)
        return F.dropout(y, self.dropout, self.training)

    def forward(self, x: wg.Tensor) -> wg.Tensor:
        x = x + self.attend(self.ln_1(x))
        h = self.mlp["c_proj"](F.gelu(self.mlp["c_fc"](self.ln_2(x)), approximate="tanh"))
        return x + F.dropout(h, self.dropout, self.training)


class GPT(nn.Module):
    """Token and position embeddings, ``depth`` blocks, a norm, and the token embedding once more as the output layer.

    The defaults are GPT-2's smallest model: 124 million parameters.

    Args:
        vocabulary: how many different tokens.
        context: the most tokens that it sees.
        depth: how many blocks.
        heads: attention heads in each.
        width: of the embeddings.
        dropout: after embeddings, attention and each block's network.

    References:
        A. Radford et al., "Language models are unsupervised multitask learners", 2019.
    """

    def __init__(
        self,
        vocabulary: int = 50257,
        context: int = 1024,
        depth: int = 12,
        heads: int = 12,
        width: int = 768,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"GPT: width {width} is not a multiple of heads {heads}")
        self.context, self.dropout = context, dropout
        self.transformer = nn.ModuleDict(
            {
                "wte": nn.Embedding(vocabulary, width),
                "wpe": nn.Embedding(context, width),
                "h": nn.ModuleList([Block(width, heads, dropout) for _ in range(depth)]),
                "ln_f": nn.LayerNorm(width),
            }
        )
        self.lm_head = nn.Linear(width, vocabulary, bias=False)
        self.lm_head.weight = self.transformer["wte"].weight
        for name, p in self.named_parameters():
            if p.dim() == 2:  # what is added to the shortcut starts smaller, the deeper the network
                nn.init.normal_(p, std=0.02 / math.sqrt(2 * depth) if name.endswith("c_proj.weight") else 0.02)
            elif name.endswith("bias"):
                nn.init.zeros_(p)

    def forward(self, tokens: wg.Tensor, targets: wg.Tensor | None = None) -> tuple[wg.Tensor, wg.Tensor | None]:
        """Logits (B, T, vocabulary) of the token after each place, and the loss where targets (B, T) are given."""
        t = tokens.shape[1]
        if t > self.context:
            raise ValueError(f"GPT: {t} tokens do not fit its context of {self.context}")
        x = self.transformer["wte"](tokens) + self.transformer["wpe"](wg.arange(t, device=tokens.device))  # (B, T, C)
        x = F.dropout(x, self.dropout, self.training)
        for block in self.transformer["h"]:
            x = block(x)
        logits = self.lm_head(self.transformer["ln_f"](x))
        if targets is None:
            return logits, None
        return logits, F.cross_entropy(logits.flatten(0, 1), targets.flatten())

    @wg.no_grad()
    def generate(self, tokens: wg.Tensor, count: int, temperature: float = 1.0, top_k: int | None = None) -> wg.Tensor:
        """``tokens`` (B, T) and ``count`` more, each drawn from what the model expects next."""
        for _ in range(count):
            logits = self(tokens[:, -self.context :])[0][:, -1] / temperature  # (B, vocabulary)
            if top_k is not None:
                least = logits.topk(min(top_k, logits.shape[-1])).values[:, -1:]
                logits = logits.masked_fill(logits < least, -math.inf)
            chosen = wg.multinomial(logits.softmax(-1), 1)
            tokens = wg.cat([tokens, chosen], dim=1)
        return tokens
