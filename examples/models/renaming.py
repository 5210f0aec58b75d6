"""What the weights of published models are called elsewhere, and how they lie there: the ways to this folder's names.

Of each family and source there is a list of patterns and replacements, which are applied to a name one after the other.
Weights that lie otherwise, or in several pieces, are then rearranged by the family's function in `REARRANGED`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import wengert as wg

State = dict[str, Any]
Rule = tuple[str, str | Callable[[re.Match[str]], str]]

RULES: dict[str, dict[str, list[Rule]]] = {
    "GPT": {
        "huggingface": [
            (r"^(?=(wte|wpe|h|ln_f)\.)", "transformer."),
            (r".*\.attn\.(bias|masked_bias)$", ""),  # the causal mask, which is no weight
        ],
    },
    "ResNet": {
        "torchvision": [],
        "timm": [],
        "huggingface": [
            (r"^resnet\.", ""),
            (r"^embedder\.embedder\.convolution\.", "conv1."),
            (r"^embedder\.embedder\.normalization\.", "bn1."),
            (r"^encoder\.stages\.(\d+)\.layers\.", lambda m: f"layer{int(m[1]) + 1}."),
            (r"\.shortcut\.convolution\.", ".downsample.0."),
            (r"\.shortcut\.normalization\.", ".downsample.1."),
            (r"\.layer\.(\d+)\.convolution\.", lambda m: f".conv{int(m[1]) + 1}."),
            (r"\.layer\.(\d+)\.normalization\.", lambda m: f".bn{int(m[1]) + 1}."),
            (r"^classifier\.1\.", "fc."),
        ],
    },
    "VGG": {
        "torchvision": [],
        "timm": [
            (r"^pre_logits\.fc1\.", "classifier.0."),
            (r"^pre_logits\.fc2\.", "classifier.3."),
            (r"^head\.fc\.", "classifier.6."),
        ],
    },
    "ViT": {
        "torchvision": [
            (r"\.mlp\.linear_1\.", ".mlp.0."),  # of files from before torchvision 0.14
            (r"\.mlp\.linear_2\.", ".mlp.3."),
        ],
        "timm": [
            (r"^cls_token$", "class_token"),
            (r"^pos_embed$", "encoder.pos_embedding"),
            (r"^patch_embed\.proj\.", "conv_proj."),
            (r"^norm\.", "encoder.ln."),
            (r"^head\.", "heads.head."),
            (r"^blocks\.(\d+)\.", r"encoder.layers.encoder_layer_\1."),
            (r"\.norm([12])\.", r".ln_\1."),
            (r"\.attn\.qkv\.", ".self_attention.in_proj_"),
            (r"\.attn\.proj\.", ".self_attention.out_proj."),
            (r"\.mlp\.fc1\.", ".mlp.0."),
            (r"\.mlp\.fc2\.", ".mlp.3."),
        ],
        "huggingface": [
            (r"^vit\.", ""),
            (r"^pooler\..*", ""),  # on top of a ViTModel; a classifier has none
            (r"^embeddings\.cls_token$", "class_token"),
            (r"^embeddings\.position_embeddings$", "encoder.pos_embedding"),
            (r"^embeddings\.patch_embeddings\.projection\.", "conv_proj."),
            (r"^layernorm\.", "encoder.ln."),
            (r"^classifier\.", "heads.head."),
            (r"^(?:encoder\.layer|layers)\.(\d+)\.", r"encoder.layers.encoder_layer_\1."),
            (r"\.layernorm_before\.", ".ln_1."),
            (r"\.layernorm_after\.", ".ln_2."),
            (r"\.attention\.attention\.(?:query)\.", ".self_attention.q."),
            (r"\.attention\.attention\.(?:key)\.", ".self_attention.k."),
            (r"\.attention\.attention\.(?:value)\.", ".self_attention.v."),
            (r"\.attention\.output\.dense\.", ".self_attention.out_proj."),
            (r"\.intermediate\.dense\.", ".mlp.0."),
            (r"\.output\.dense\.", ".mlp.3."),
            (r"\.attention\.([qkv])_proj\.", r".self_attention.\1."),  # since transformers 5
            (r"\.attention\.o_proj\.", ".self_attention.out_proj."),
            (r"\.mlp\.fc1\.", ".mlp.0."),
            (r"\.mlp\.fc2\.", ".mlp.3."),
        ],
    },
}

HEADS = {"ResNet": "fc.", "VGG": "classifier.6.", "ViT": "heads.head."}  # what another number of classes changes

# Names that one source has and the others have not.
MARKS = {
    "huggingface": re.compile(r"(.*\.)?(embeddings|embedder|wte|shortcut)\."),
    "timm": re.compile(r"(blocks|patch_embed|pre_logits)\."),
}


def source_of(state: State) -> str:
    """Whose names these are: ``huggingface``, ``timm`` or ``torchvision``."""
    return next((source for source, mark in MARKS.items() if any(map(mark.match, state))), "torchvision")


def renamed(state: State, family: str, source: str) -> State:
    """The weights under this folder's names, as they lie here."""
    rules = RULES[family][source]
    result = {}
    for name, tensor in state.items():
        for pattern, replacement in rules:
            name = re.sub(pattern, replacement, name)
        if name:
            result[name] = tensor
    return REARRANGED[family](result)


def gpt(state: State) -> State:
    """GPT-2's linear layers were written as (inputs, outputs); its token embedding is its output layer, too."""
    first = state.get("transformer.h.0.attn.c_attn.weight")
    if first is not None and first.shape[1] == 3 * first.shape[0]:
        for name, tensor in state.items():
            if re.search(r"\.(c_attn|c_proj|c_fc)\.weight$", name):
                state[name] = tensor.t()
    tokens, head = state.get("transformer.wte.weight"), state.get("lm_head.weight")
    if tokens is not None:
        if head is not None and not (head.shape == tokens.shape and wg.equal(head, tokens)):
            raise ValueError("these weights have an output layer of their own; this GPT's is the token embedding")
        state["lm_head.weight"] = tokens
    return state


def vgg(state: State) -> State:
    """Linear layers that were written as convolutions over the whole map."""
    for name, tensor in state.items():
        if name.startswith("classifier.") and tensor.dim() == 4:
            state[name] = tensor.flatten(1)
    return state


def vit(state: State) -> State:
    """Queries, keys and values as one matrix."""
    for name in [name for name in state if re.search(r"\.self_attention\.q\.", name)]:
        before, after = name.split(".q.")
        parts = [state.pop(f"{before}.{part}.{after}", None) for part in "qkv"]
        if all(part is not None for part in parts):
            state[f"{before}.in_proj_{after}"] = wg.cat(parts)
    return state


REARRANGED: dict[str, Callable[[State], State]] = {"GPT": gpt, "ResNet": lambda s: s, "VGG": vgg, "ViT": vit}
