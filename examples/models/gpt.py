"""A GPT: a stack of transformer blocks that predicts the next token."""

from __future__ import annotations

import math
from typing import Any

import wengert as wg
from wengert import nn
from wengert.nn import functional as F

Cache = list[Any]  # for each block its keys and values (B, nh, T, hs) so far, or None


class Block(nn.Module):
    """Causal self-attention and a two-layer network, each beside a shortcut and after a norm."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.ln_1 = nn.LayerNorm(width)
        self.attn = nn.ModuleDict({"c_attn": nn.Linear(width, 3 * width), "c_proj": nn.Linear(width, width)})
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = nn.ModuleDict({"c_fc": nn.Linear(width, 4 * width), "c_proj": nn.Linear(4 * width, width)})

    def attend(self, x: wg.Tensor, past: Any = None) -> tuple[wg.Tensor, Any]:  # (B, T, C)
        b, t, c = x.shape
        q, k, v = (
            part.view(b, t, self.heads, c // self.heads).transpose(1, 2)  # (B, nh, T, hs)
            for part in self.attn["c_attn"](x).split(c, dim=2)
        )
        mask = None
        if past is not None:
            k, v = wg.cat([past[0], k], dim=2), wg.cat([past[1], v], dim=2)
            if t > 1:  # a single new token sees everything
                mask = wg.ones(t, k.shape[2], dtype=wg.bool, device=x.device).tril(k.shape[2] - t)
        dropout = self.dropout if self.training else 0.0
        y = F.scaled_dot_product_attention(q, k, v, mask, dropout, is_causal=past is None)  # (B, nh, T, hs)
        y = self.attn["c_proj"](y.transpose(1, 2).reshape(b, t, c))  # (B, T, C)
        return F.dropout(y, self.dropout, self.training), (k, v)

    def forward(self, x: wg.Tensor, past: Any = None) -> tuple[wg.Tensor, Any]:
        """The block's output, and the keys and values that it attended to."""
        y, present = self.attend(self.ln_1(x), past)
        x = x + y
        h = self.mlp["c_proj"](F.gelu(self.mlp["c_fc"](self.ln_2(x)), approximate="tanh"))
        return x + F.dropout(h, self.dropout, self.training), present


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

    def forward(
        self, tokens: wg.Tensor, targets: wg.Tensor | None = None, cache: Cache | None = None
    ) -> tuple[wg.Tensor, wg.Tensor | None]:
        """Logits (B, T, vocabulary) of the token after each place, and the loss where targets (B, T) are given.

        ``cache`` is what `new_cache` makes: ``tokens`` then come after those of earlier calls with the same cache.
        """
        past = 0 if cache is None or cache[0] is None else cache[0][0].shape[2]
        t = past + tokens.shape[1]
        if t > self.context:
            raise ValueError(f"GPT: {t} tokens do not fit its context of {self.context}")
        positions = wg.arange(past, t, device=tokens.device)
        x = self.transformer["wte"](tokens) + self.transformer["wpe"](positions)  # (B, T, C)
        x = F.dropout(x, self.dropout, self.training)
        for i, block in enumerate(self.transformer["h"]):
            x, present = block(x, None if cache is None else cache[i])
            if cache is not None:
                cache[i] = present
        logits = self.lm_head(self.transformer["ln_f"](x))
        if targets is None:
            return logits, None
        return logits, F.cross_entropy(logits.flatten(0, 1), targets.flatten())

    def new_cache(self) -> Cache:
        """Room for the keys and values of a text: calls with it compute the new tokens only."""
        return [None for _ in self.transformer["h"]]

    @wg.no_grad()
    def generate(
        self,
        tokens: wg.Tensor,
        count: int,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
    ) -> wg.Tensor:
        """``tokens`` (B, T) and ``count`` more, each drawn from what the model expects next.

        Args:
            tokens: the beginning.
            count: how many more.
            temperature: divides the logits: below 1 likely tokens become likelier; 0 always takes the likeliest.
            top_k: draw from so many of the likeliest tokens only.
            top_p: draw from the fewest likeliest tokens that together have this probability.
        """
        cache = self.new_cache()
        for _ in range(count):
            fits = tokens.shape[1] <= self.context
            if not fits:  # the window moves, and with it the position of every token
                cache = self.new_cache()
            done = cache[0][0].shape[2] if cache[0] is not None else 0
            logits = self(tokens[:, done if fits else -self.context :], cache=cache)[0][:, -1]  # (B, vocabulary)
            tokens = wg.cat([tokens, chosen(logits, temperature, top_k, top_p)], dim=1)
        return tokens


def chosen(logits: wg.Tensor, temperature: float, top_k: int | None, top_p: float | None) -> wg.Tensor:
    """A token (B, 1) for each row of logits (B, vocabulary); the arguments are `GPT.generate`'s."""
    if temperature == 0:
        return logits.argmax(-1, keepdim=True)
    logits = logits / temperature
    if top_k is not None:
        least = logits.topk(min(top_k, logits.shape[-1])).values[:, -1:]
        logits = logits.masked_fill(logits < least, -math.inf)
    if top_p is not None:
        likeliest, order = logits.sort(dim=-1, descending=True)
        chances = likeliest.softmax(-1)
        beyond = chances.cumsum(-1) - chances >= top_p  # those before it are enough; never the first
        beyond[:, 0] = False
        logits = logits.masked_fill(wg.zeros_like(beyond).scatter(1, order, beyond), -math.inf)
    return wg.multinomial(logits.softmax(-1), 1)


def gpt2(**options: int | float) -> GPT:
    """GPT-2's smallest model: 124 million parameters; options as for `GPT`."""
    return GPT(**options)


def gpt2_medium(**options: int | float) -> GPT:
    """GPT-2 medium: 355 million parameters."""
    return GPT(**{"depth": 24, "heads": 16, "width": 1024, **options})


def gpt2_large(**options: int | float) -> GPT:
    """GPT-2 large: 774 million parameters."""
    return GPT(**{"depth": 36, "heads": 20, "width": 1280, **options})


def gpt2_xl(**options: int | float) -> GPT:
    """GPT-2 XL: 1.6 billion parameters."""
    return GPT(**{"depth": 48, "heads": 25, "width": 1600, **options})
