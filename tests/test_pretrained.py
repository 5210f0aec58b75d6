"""``load_pretrained``: forms of files, what does not fit and how it is said; drawing tokens; the tokenizer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import wengert as wg
from examples import models
from examples.models.gpt import chosen
from examples.models.pretrained import few, load_pretrained
from examples.models.tokenizer import gpt2_tokenizer


def vit(classes: int = 3, **options: Any) -> Any:
    return models.ViT(8, 4, depth=1, heads=2, width=8, hidden=12, classes=classes, **options)


def gpt(vocabulary: int = 11) -> Any:
    wg.manual_seed(0)
    return models.GPT(vocabulary, context=8, depth=2, heads=2, width=8)


def as_timm(state: Any) -> dict[str, Any]:
    """The weights of a `ViT` under timm's names."""
    pairs = [("encoder.layers.encoder_layer_", "blocks."), ("self_attention.in_proj_", "attn.qkv.")]
    pairs += [("self_attention.out_proj", "attn.proj"), ("mlp.0", "mlp.fc1"), ("mlp.3", "mlp.fc2"), ("ln_", "norm")]
    pairs += [("encoder.ln.", "norm."), ("heads.head", "head"), ("encoder.pos_embedding", "pos_embed")]
    pairs += [("conv_proj", "patch_embed.proj"), ("class_token", "cls_token")]
    result = {}
    for name, value in state.items():
        for mine, theirs in pairs:
            name = name.replace(mine, theirs)
        result[name] = value
    return result


def equal(a: Any, b: Any) -> bool:
    theirs = b.state_dict()
    return all(wg.equal(value, theirs[name]) for name, value in a.state_dict().items())


def test_timms_names_and_types():
    theirs = vit()
    state = {name: value.half() for name, value in as_timm(theirs.state_dict()).items()}
    mine = load_pretrained(vit(), state)
    assert mine.class_token.dtype is wg.float32
    assert equal(mine, theirs.half())


def test_what_does_not_fit_is_listed_and_nothing_is_loaded():
    state = as_timm(vit(5).state_dict())
    state["dist_token"] = state.pop("cls_token")
    mine = vit()
    before = {name: value.clone() for name, value in mine.state_dict().items()}
    with pytest.raises(RuntimeError) as caught:
        load_pretrained(mine, state)
    assert str(caught.value).splitlines() == [
        "load_pretrained: these weights, read as timm's, do not fit this ViT:",
        "  missing: class_token",
        "  unexpected: dist_token",
        "  of another shape: heads.head.weight: [3, 8] here, [5, 8] there, heads.head.bias: [3] here, [5] there",
        "skip_head=True leaves out the last layer; strict=False loads what fits",
    ]
    assert all(wg.equal(before[name], value) for name, value in mine.state_dict().items())
    assert few([str(i) for i in range(10)]) == "0, 1, 2, 3, 4, 5, 6, 7, and 2 more"
    load_pretrained(mine, state, strict=False)
    assert wg.equal(mine.conv_proj.weight, state["patch_embed.proj.weight"])
    assert wg.equal(mine.class_token, before["class_token"])


def test_a_head_for_other_classes_stays():
    theirs, mine = vit(5), vit(3)
    head = mine.heads.head.weight.detach().normal_().clone()
    load_pretrained(mine, theirs.state_dict(), skip_head=True)
    assert wg.equal(mine.heads.head.weight, head)
    assert wg.equal(mine.encoder.pos_embedding, theirs.encoder.pos_embedding)
    without = {name: value for name, value in theirs.state_dict().items() if not name.startswith("heads")}
    load_pretrained(mine, without, skip_head=True)


def test_positions_for_images_of_another_size():
    small = vit()
    with wg.no_grad():
        small.encoder.pos_embedding[:, 1:] = wg.arange(8.0)
    large = load_pretrained(models.ViT(16, 4, 1, 2, 8, 12, 3), small.state_dict(), resize_positions=True)
    wg.testing.assert_close(large.encoder.pos_embedding[:, 1:], wg.arange(8.0).expand(1, 16, 8))
    assert wg.equal(large.encoder.pos_embedding[:, 0], small.encoder.pos_embedding[:, 0])


def test_files_of_all_kinds(tmp_path: Path):
    theirs = gpt()
    with wg.no_grad():
        for p in theirs.parameters():
            p.normal_()
    state = {f"module.{name}": value for name, value in theirs.state_dict().items()}
    wg.save({"state_dict": state, "epoch": 3}, tmp_path / "checkpoint.pt")
    wg.save(dict(theirs.state_dict()), tmp_path / "weights.safetensors")
    folder = tmp_path / "sharded"
    folder.mkdir()
    bare = {name.removeprefix("transformer."): value for name, value in theirs.state_dict().items()}
    del bare["lm_head.weight"]
    places = {name: f"pytorch_model-{1 + i % 2}.bin" for i, name in enumerate(bare)}
    for file in set(places.values()):
        wg.save({name: value for name, value in bare.items() if places[name] == file}, folder / file)
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": places}))
    wg.manual_seed(1)
    for path in (tmp_path / "checkpoint.pt", tmp_path / "weights.safetensors", folder):
        mine = models.GPT(11, context=8, depth=2, heads=2, width=8)
        assert equal(load_pretrained(mine, path), theirs)
        assert mine.lm_head.weight is mine.transformer["wte"].weight


def test_what_cannot_be_read(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"neither model\.safetensors nor pytorch_model\.bin"):
        load_pretrained(gpt(), tmp_path)
    with pytest.raises(ValueError, match="a state_dict; this is a dict"):
        load_pretrained(gpt(), {"epoch": 3})
    with pytest.raises(ValueError, match="knows GPT, ResNet, VGG, ViT; not LeNet5"):
        load_pretrained(models.LeNet5(), {})
    with pytest.raises(ValueError, match="GPTs of huggingface; not of 'timm'"):
        load_pretrained(gpt(), gpt().state_dict(), "timm")
    state = dict(gpt().state_dict())
    state["lm_head.weight"] = state["lm_head.weight"] + 1
    with pytest.raises(ValueError, match="an output layer of their own"):
        load_pretrained(gpt(), state)


def test_older_norms_lack_their_count():
    theirs = models.resnet18(3, small=True)
    state = {name: value for name, value in theirs.state_dict().items() if "num_batches" not in name}
    assert equal(load_pretrained(models.resnet18(3, small=True), state, "torchvision"), theirs)


def test_kept_keys_and_values_change_nothing():
    model = gpt().eval()
    with wg.no_grad():
        for p in model.parameters():
            p.normal_()
    tokens = wg.randint(0, 11, (2, 5))
    slowly = tokens
    for _ in range(8):  # beyond its context
        slowly = wg.cat([slowly, model(slowly[:, -8:])[0][:, -1].argmax(-1, keepdim=True)], 1)
    assert wg.equal(model.generate(tokens, 8, temperature=0), slowly)
    cache = model.new_cache()
    model(tokens[:, :2], cache=cache)
    wg.testing.assert_close(model(tokens[:, 2:], cache=cache)[0], model(tokens)[0][:, 2:])
    with pytest.raises(ValueError, match="10 tokens do not fit"):
        model(tokens, cache=cache)


def test_which_tokens_are_drawn():
    wg.manual_seed(0)
    logits = wg.tensor([[0.15, 0.5, 0.05, 0.3]]).log().expand(300, -1)

    def drawn(**options: Any) -> set[int]:
        return set(chosen(logits, **{"temperature": 1.0, "top_k": None, "top_p": None, **options}).flatten().tolist())

    assert drawn() == {0, 1, 2, 3}
    assert drawn(temperature=0) == {1}
    assert drawn(top_k=2) == {1, 3}
    assert drawn(top_k=9) == {0, 1, 2, 3}
    assert drawn(top_p=0.5) == {1}
    assert drawn(top_p=0.6) == {1, 3}
    assert drawn(top_p=0.0) == {1}
    assert drawn(top_k=3, top_p=0.99) == {0, 1, 3}


def test_tokens_of_published_files(tmp_path: Path):
    tokenizers = pytest.importorskip("tokenizers")
    with pytest.raises(FileNotFoundError, match=r"neither tokenizer\.json nor vocab\.json and merges\.txt"):
        gpt2_tokenizer(tmp_path)
    trained = tokenizers.ByteLevelBPETokenizer()
    trained.train_from_iterator(["the cat sat on the mat"] * 3, vocab_size=270, show_progress=False)
    trained.save_model(str(tmp_path))
    text = "the cat, née Mat"
    by_parts = gpt2_tokenizer(tmp_path)
    assert by_parts.decode(by_parts.encode(text).ids) == text
    trained.save(str(tmp_path / "tokenizer.json"))
    assert gpt2_tokenizer(tmp_path).encode(text).ids == by_parts.encode(text).ids
