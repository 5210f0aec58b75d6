"""Load published weights: torchvision's, timm's or Hugging Face's names and files, into the models of this folder.

    model = load_pretrained(resnet50(), "resnet50-11ad3fa6.pth").eval()
    model = load_pretrained(gpt2(), "gpt2")              # a folder with model.safetensors, in one file or several
    model = load_pretrained(vit_b_16(10), "vit_base_patch16_224.safetensors", skip_head=True)  # ten other classes

Nothing is downloaded: the files come from where they are published.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import wengert as wg
from wengert import nn
from wengert.nn import functional as F

from .renaming import HEADS, RULES, State, renamed, source_of

Model = TypeVar("Model", bound=nn.Module)
NESTED = ("state_dict", "model_state_dict", "model", "module", "net")  # what programs call the weights in a checkpoint
PREFIXES = ("module.", "_orig_mod.")  # of models that were trained on several devices, or compiled
SAFE_FILE, OTHER_FILE = "model.safetensors", "pytorch_model.bin"  # in a folder
POSITIONS = "encoder.pos_embedding"
INDEX = ".index.json"  # beside the name, where the tensors are spread over several files


@dataclass
class Fit:
    """How weights fit a model: names that both have, and those that are a problem.

    Attributes:
        source: whose names were read.
        weights: what can be loaded.
        missing: names that the weights lack.
        unexpected: names that the model lacks.
        mismatched: names whose shapes differ, with the model's shape and the other.
    """

    source: str
    weights: State = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    mismatched: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = field(default_factory=dict)

    def __str__(self) -> str:
        shapes = [f"{name}: {list(a)} here, {list(b)} there" for name, (a, b) in self.mismatched.items()]
        parts = {"missing": self.missing, "unexpected": self.unexpected, "of another shape": shapes}
        return "\n".join(f"  {what}: {few(names)}" for what, names in parts.items() if names)


def few(names: list[str], most: int = 8) -> str:
    """Names with commas, the first of them where they are many."""
    more = f", and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def load_pretrained(
    model: Model,
    weights: str | os.PathLike[str] | Mapping[str, Any],
    source: str | None = None,
    *,
    strict: bool = True,
    skip_head: bool = False,
    resize_positions: bool = False,
) -> Model:
    """Give a model of this folder the weights of a published one.

    Values are converted to the types of the model's parameters, which stay where they are.

    Args:
        model: a GPT, ResNet, VGG or ViT of the size that the weights are of.
        weights: a .pt, .pth, .bin or .safetensors file, the index of several, a folder of the Hugging Face Hub, or a
            ``state_dict``.
        source: ``torchvision``, ``timm`` or ``huggingface``; found out from the names unless told.
        strict: raise where names or shapes differ. False loads what fits.
        skip_head: keep the model's own last layer, to be trained for other classes.
        resize_positions: of a ViT that was trained on images of another size, interpolate the positions of patches.

    Returns:
        The model.

    Raises:
        RuntimeError: the weights do not fit; the message lists the names. Nothing was loaded then.
        FileNotFoundError: there is no such file. ValueError: a model or source that is not known.
    """
    family = next((kind.__name__ for kind in type(model).__mro__ if kind.__name__ in RULES), None)
    if family is None:
        raise ValueError(f"load_pretrained: knows {', '.join(RULES)}; not {type(model).__name__}")
    state = unwrapped(weights) if isinstance(weights, Mapping) else read_weights(weights)
    source = source or source_of(state)
    if source not in RULES[family]:
        raise ValueError(f"load_pretrained: knows {family}s of {', '.join(RULES[family])}; not of {source!r}")
    head = HEADS.get(family, "-") if skip_head else "-"
    state = renamed(state, family, source)
    if resize_positions and family == "ViT":
        state[POSITIONS] = resized(state[POSITIONS], model.encoder.pos_embedding.shape[1])
    fit = compare(model, state, source, head)
    if strict and str(fit):
        raise RuntimeError(
            f"load_pretrained: these weights, read as {source}'s, do not fit this {type(model).__name__}:\n{fit}\n"
            "skip_head=True leaves out the last layer; strict=False loads what fits"
        )
    model.load_state_dict(fit.weights, strict=False)
    if family == "ViT" and source == "huggingface":
        for module in model.modules():
            if isinstance(module, nn.LayerNorm):
                module.eps = 1e-12  # theirs
    return model


def resized(positions: wg.Tensor, length: int) -> wg.Tensor:
    """The embeddings (1, T, C) of the positions of a class token and a square of patches, for another square."""
    first, patches = positions[:, :1], positions[:, 1:]
    old, new = math.isqrt(patches.shape[1]), math.isqrt(length - 1)
    square = patches.reshape(1, old, old, -1).permute(0, 3, 1, 2).float()  # (1, C, H, W)
    square = F.interpolate(square, size=(new, new), mode="bicubic", antialias=True)
    return wg.cat([first, square.flatten(2).transpose(1, 2).to(first.dtype)], dim=1)


def compare(model: nn.Module, state: State, source: str, head: str) -> Fit:
    """What of ``state`` fits the model; names that begin with ``head`` are left out on both sides."""
    fit = Fit(source)
    own = model.state_dict()
    for name, tensor in own.items():
        if name.startswith(head):
            continue
        if name not in state:
            if not name.endswith("num_batches_tracked"):  # which older files lack, and which changes nothing
                fit.missing.append(name)
        elif tensor.shape != state[name].shape:
            fit.mismatched[name] = tuple(tensor.shape), tuple(state[name].shape)
        else:
            fit.weights[name] = state[name]
    fit.unexpected = [name for name in state if name not in own and not name.startswith(head)]
    return fit


def read_weights(path: str | os.PathLike[str]) -> State:
    """The tensors of a file, of several with an index, or of a folder of the Hugging Face Hub, by name."""
    from wengert.utils.tensor_files import load_file, load_sharded

    path = Path(path)
    if path.is_dir():
        candidates = [path / (name + end) for name in (SAFE_FILE, OTHER_FILE) for end in (INDEX, "")]
        found = next((candidate for candidate in candidates if candidate.exists()), None)
        if found is None:
            raise FileNotFoundError(f"load_pretrained: {path} has neither {SAFE_FILE} nor {OTHER_FILE}")
        path = found
    if path.name.endswith(f".safetensors{INDEX}"):
        return load_sharded(path.parent, path.name.removesuffix(INDEX))
    if path.name.endswith(INDEX):
        places = json.loads(path.read_text(encoding="utf-8"))["weight_map"]
        parts = [unwrapped(wg.load(path.parent / file)) for file in sorted(set(places.values()))]
        return {name: tensor for part in parts for name, tensor in part.items()}
    return load_file(path) if path.suffix == ".safetensors" else unwrapped(wg.load(path))


def unwrapped(checkpoint: Any) -> State:
    """The ``state_dict`` within a checkpoint, without the prefixes that wrappers give its names."""
    inner: Any = checkpoint
    while isinstance(inner, Mapping):
        checkpoint = inner
        inner = next((checkpoint[key] for key in NESTED if isinstance(checkpoint.get(key), Mapping)), None)
    tensors = checkpoint.items() if isinstance(checkpoint, Mapping) else ()
    state = {name: value for name, value in tensors if isinstance(value, wg.Tensor)}
    if not state:
        raise ValueError(f"load_pretrained: takes tensors by name, a state_dict; this is a {type(checkpoint).__name__}")
    for prefix in PREFIXES * 2:
        if all(name.startswith(prefix) for name in state):
            state = {name[len(prefix) :]: value for name, value in state.items()}
    return state
