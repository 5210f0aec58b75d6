"""Transforms of images: what they do to pixels, that images of a batch draw for themselves, and seeds."""

from __future__ import annotations

import colorsys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert as wg
from wengert.utils import data
from wengert.utils import transforms as T

RANDOM: dict[str, Callable[..., Any]] = {
    "crop": lambda **g: T.RandomCrop(6, padding=2, **g),
    "flip": lambda **g: T.RandomHorizontalFlip(**g),
    "upside down": lambda **g: T.RandomVerticalFlip(**g),
    "rotation": lambda **g: T.RandomRotation(30, **g),
    "affine": lambda **g: T.RandomAffine(20, (0.2, 0.2), (0.8, 1.2), 10, "bilinear", fill=0.5, **g),
    "resized": lambda **g: T.RandomResizedCrop(5, **g),
    "colours": lambda **g: T.ColorJitter(0.4, 0.4, 0.4, 0.2, **g),
    "noise": lambda **g: T.GaussianNoise(**g),
    "erasing": lambda **g: T.RandomErasing(1.0, value="random", **g),
    "cutout": lambda **g: T.Cutout(3, 2, **g),
    "some": lambda **g: T.RandomApply([T.Pad(0), T.Lambda(lambda x: 1 - x)], **g),
    "augment": lambda **g: T.RandAugment(3, 20, **g),
}


def images(n: int = 16, size: int = 8, dtype: wg.dtype = wg.float32) -> wg.Tensor:
    x = wg.rand(n, 3, size, size, generator=wg.Generator().manual_seed(0))
    return x if dtype.is_floating_point else (x * 255).to(dtype)


@pytest.mark.parametrize("name", RANDOM)
@pytest.mark.parametrize("dtype", [wg.float32, wg.uint8])
def test_each_image_draws_for_itself_and_seeds_repeat(name: str, dtype: wg.dtype):
    x = images(1, dtype=dtype).expand(32, -1, -1, -1)
    first = RANDOM[name](generator=wg.Generator().manual_seed(3))(x)
    assert first.dtype == dtype
    assert first.shape[:2] == x.shape[:2]
    assert len({y._data.tobytes() for y in first}) > 1
    assert wg.equal(RANDOM[name](generator=wg.Generator().manual_seed(3))(x), first)
    assert not wg.equal(RANDOM[name](generator=wg.Generator().manual_seed(4))(x), first)
    wg.manual_seed(5)
    again = RANDOM[name]()(x)
    wg.manual_seed(5)
    assert wg.equal(RANDOM[name]()(x), again)
    assert float(first.float().min()) >= 0 or name == "erasing"
    single = RANDOM[name](generator=wg.Generator().manual_seed(3))(x[0])
    assert single.shape == first.shape[1:]


@pytest.mark.parametrize("name", RANDOM)
def test_any_number_of_workers_gives_the_same(name: str):
    class Images(data.Dataset):
        transform = staticmethod(RANDOM[name]())

        def __len__(self) -> int:
            return 8

        def __getitem__(self, i: int) -> Any:
            return self.transform(images()[i])

    def batches(workers: int) -> list[Any]:
        wg.manual_seed(1)
        loader = data.DataLoader(Images(), 3, shuffle=True, num_workers=workers)
        return [b._data.tobytes() for _ in range(2) for b in loader]

    assert batches(0) == batches(3)


def test_to_tensor():
    array = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    x = T.ToTensor()(array)
    assert x.dtype == wg.float32
    np.testing.assert_allclose(x.numpy(), array.transpose(2, 0, 1) / 255, rtol=1e-6)
    assert T.ToTensor()(np.ones((2, 3))).dtype == wg.float64
    with pytest.raises(TypeError, match="ndarray"):
        T.ToTensor()(wg.ones(3, 2, 2))
    with pytest.raises(TypeError, match="put ToTensor"):
        T.Grayscale()(array)
    with pytest.raises(RuntimeError, match="the shape is"):
        T.Grayscale()(wg.ones(2, 2))


def test_normalize():
    x = images()
    y = T.Normalize((0.5, 0.4, 0.3), (0.2, 0.3, 0.4))(x)
    np.testing.assert_allclose(y[:, 1].numpy(), (x[:, 1].numpy() - 0.4) / 0.3, rtol=1e-5)
    again = x.clone()
    assert T.Normalize(0.5, 0.5, inplace=True)(again) is not x
    np.testing.assert_allclose(again.numpy(), (x.numpy() - 0.5) / 0.5, rtol=1e-5)
    with pytest.raises(RuntimeError, match="2 means and 2 deviations, for 3 channels"):
        T.Normalize((0, 0), (1, 1))(x)
    with pytest.raises(ValueError, match="dividing by zero"):
        T.Normalize(0, 0)
    with pytest.raises(RuntimeError, match="ToTensor"):
        T.Normalize(0, 1)(images(dtype=wg.uint8))


def test_crops_are_windows_of_the_padded_image():
    x = images()
    padded = np.pad(x.numpy(), ((0, 0), (0, 0), (2, 2), (2, 2)))
    seen = set()
    for image, window in zip(padded, T.RandomCrop(8, padding=2)(x).numpy(), strict=True):
        places = [(i, j) for i in range(5) for j in range(5) if np.array_equal(image[:, i : i + 8, j : j + 8], window)]
        assert len(places) == 1
        seen.update(places)
    assert len(seen) > 5
    assert wg.equal(T.CenterCrop(4)(x), x[..., 2:6, 2:6])
    assert T.RandomCrop(10, pad_if_needed=True)(x).shape == (16, 3, 10, 10)
    with pytest.raises(RuntimeError, match="larger than input image size"):
        T.RandomCrop(9)(x)
    for mode, name in (("edge", "edge"), ("reflect", "reflect"), ("circular", "wrap")):
        np.testing.assert_array_equal(
            T.Pad((1, 2, 3, 0), padding_mode=mode)(x).numpy(),
            np.pad(x.numpy(), ((0, 0), (0, 0), (2, 0), (1, 3)), mode=name),
        )


def test_flips_and_turns():
    x = images()
    assert wg.equal(T.RandomHorizontalFlip(1.0)(x), x.flip(-1))
    assert wg.equal(T.RandomVerticalFlip(1.0)(x), x.flip(-2))
    assert wg.equal(T.RandomHorizontalFlip(0.0)(x), x)
    flipped = T.RandomHorizontalFlip(0.3, wg.Generator().manual_seed(0))(images(1).expand(4000, -1, -1, -1))
    share = (flipped == images(1).flip(-1)).flatten(1).all(1).float().mean()
    assert abs(float(share) - 0.3) < 0.03
    for degrees, turns in ((90, 1), (180, 2), (-90, -1)):
        for kind in (wg.float32, wg.uint8):
            given = images(dtype=kind)
            assert wg.allclose(
                T.RandomRotation((degrees, degrees))(given).float(), wg.rot90(given, turns, (-2, -1)).float(), atol=1e-4
            )


def test_affine_maps():
    x = images()
    assert wg.allclose(T.RandomAffine(0)(x), x)
    from wengert.utils.transforms.geometry import affine, inverse_map

    def moved(**given: float) -> Any:
        names = ("angle", "factor", "lean", "lean_down", "right", "down")
        numbers = {name: wg.full((16,), given.get(name, float(name == "factor"))) for name in names}
        return affine(x, inverse_map(**numbers), "bilinear")

    shifted = moved(right=2.0, down=-1.0)
    assert wg.allclose(shifted[..., :7, 2:], x[..., 1:, :6], atol=1e-5)
    assert float(shifted[..., :2].abs().max()) == 0
    doubled = moved(factor=2.0)
    assert wg.allclose(doubled.mean(), x[..., 2:6, 2:6].mean(), atol=0.02)
    back = affine(
        moved(lean=0.1, lean_down=-0.2),
        wg.linalg.inv(
            wg.cat(
                [
                    inverse_map(*(wg.full((16,), v) for v in (0.0, 1.0, 0.1, -0.2, 0.0, 0.0))),
                    wg.tensor([[[0.0, 0, 1]]]).expand(16, 1, 3),
                ],
                1,
            )
        )[:, :2],
        "bilinear",
    )
    assert float((back - x)[..., 3:5, 3:5].abs().mean()) < 0.2
    filled = affine(x, inverse_map(*(wg.full((16,), v) for v in (0.0, 1.0, 0.0, 0.0, 8.0, 0.0))), fill=0.25)
    assert wg.allclose(filled, wg.full_like(x, 0.25))
    with pytest.raises(ValueError, match="between 0 and 1"):
        T.RandomAffine(0, (2.0, 0.0))
    with pytest.raises(ValueError, match="degrees"):
        T.RandomRotation(-3)


def test_sizes():
    x = images()
    assert T.Resize((4, 6))(x).shape == (16, 3, 4, 6)
    assert T.Resize(4)(x[..., :6]).shape == (16, 3, 5, 4)
    assert wg.allclose(T.Resize(8)(x), x, atol=1e-6)
    assert wg.allclose(T.Resize((4, 4))(wg.ones(1, 1, 8, 8)), wg.ones(1, 1, 4, 4))
    whole = T.RandomResizedCrop(8, (1.0, 1.0), (1.0, 1.0))(x)
    assert wg.allclose(whole, x, atol=1e-5)
    constant = T.RandomResizedCrop(4)(wg.full((3, 1, 9, 7), 0.5))
    assert wg.allclose(constant, wg.full_like(constant, 0.5))


def test_colours():
    x = images()
    from wengert.utils.transforms.color import brighter, contrasted, saturated, with_hue

    shift = 0.3
    turned = with_hue(x, wg.full((16, 1, 1, 1), shift)).numpy()
    for n, i, j in ((0, 0, 0), (3, 4, 5), (15, 7, 7)):
        h, s, v = colorsys.rgb_to_hsv(*x[n, :, i, j].tolist())
        np.testing.assert_allclose(turned[n, :, i, j], colorsys.hsv_to_rgb((h + shift) % 1, s, v), atol=1e-5)
    assert wg.allclose(with_hue(x, wg.zeros(16, 1, 1, 1)), x, atol=1e-6)
    assert float(saturated(x, 0.0).std(1).max()) < 1e-6
    assert float(contrasted(x, 0.0).flatten(1).std(1).max()) < 1e-6
    assert wg.allclose(brighter(x, 0.5), x / 2)
    one = T.Grayscale()(x)
    assert one.shape == (16, 1, 8, 8)
    np.testing.assert_allclose(one[:, 0].numpy(), np.tensordot([0.2989, 0.587, 0.114], x.numpy(), (0, 1)), rtol=1e-4)
    assert T.Grayscale(3)(x).shape == x.shape
    assert wg.equal(T.ColorJitter()(x), x)
    assert wg.allclose(T.ColorJitter(hue=0.5)(one), one)
    for wrong in ({"hue": 0.6}, {"brightness": -1}, {"contrast": (2, 1)}):
        with pytest.raises(ValueError, match="|".join(wrong)):
            T.ColorJitter(**wrong)


def test_holes():
    x = wg.ones(200, 1, 20, 20)
    cut = T.Cutout(5)(x)
    assert set((20 * 20 - cut.flatten(1).sum(1)).tolist()) <= {float(a * b) for a in range(1, 6) for b in range(1, 6)}
    erased = T.RandomErasing(1.0, (0.1, 0.2), value=0.5)(x)
    part = (erased == 0.5).flatten(1).float().mean(1)
    assert 0.05 < float(part.min()) < float(part.max()) < 0.25
    assert wg.equal(T.RandomErasing(0.0)(x), x)
    colours = T.RandomErasing(1.0, value=(0.1, 0.2, 0.3))(images())
    assert float((colours[:, 2] == 0.3).sum()) > 0
    with pytest.raises(ValueError, match="random"):
        T.RandomErasing(value="noise")


def test_noise():
    x = wg.full((1, 1, 200, 200), 0.5)
    noise = T.GaussianNoise(0.1, 0.05)(x) - x
    assert abs(float(noise.mean()) - 0.1) < 2e-3
    assert abs(float(noise.std()) - 0.05) < 2e-3
    assert float(T.GaussianNoise(sigma=3.0)(x).max()) == 1.0


@pytest.mark.parametrize("kind", [T.MixUp, T.CutMix])
def test_mixing(kind: Any):
    x, y = images(), wg.arange(16) % 4
    mixed, labels = kind(num_classes=4, generator=wg.Generator().manual_seed(0))(x, y)
    assert mixed.shape == x.shape
    assert wg.allclose(labels.sum(1), wg.ones(16))
    part = float(labels[0, 0])
    assert 0 < part < 1
    other = x.roll(1, 0)
    if kind is T.MixUp:
        assert wg.allclose(mixed, x * part + other * (1 - part), atol=1e-6)
    else:
        own = (mixed == x).all(1).float().mean()
        assert abs(float(own) - part) < 1e-6
        assert bool(((mixed == x) | (mixed == other)).all())
    again, _ = kind(num_classes=4, generator=wg.Generator().manual_seed(0))((x, y))
    assert wg.equal(again, mixed)
    assert kind()(x, wg.nn.functional.one_hot(y, 4))[1].shape == (16, 4)
    with pytest.raises(ValueError, match="num_classes"):
        kind()(x, y)
    with pytest.raises(RuntimeError, match="N labels"):
        kind(num_classes=4)(x, y[:3])
    with pytest.raises(ValueError, match="alpha"):
        kind(alpha=0.0)


def test_augment_of_no_strength_only_inverts_or_keeps():
    x = images()
    weak = T.RandAugment(1, 0)(x)
    kept = wg.isclose(weak, x, atol=0.01).flatten(1).all(1) | wg.isclose(weak, 1 - x, atol=0.01).flatten(1).all(1)
    assert float(kept.float().mean()) > 0.7
    with pytest.raises(ValueError, match="magnitude"):
        T.RandAugment(magnitude=40)


def test_gradients_flow_through():
    x = images(2).requires_grad_()
    T.Compose([T.RandomAffine(10, interpolation="bilinear"), T.ColorJitter(0.1), T.Normalize(0.5, 0.5)])(
        x
    ).sum().backward()
    assert x.grad is not None
    assert float(x.grad.abs().sum()) > 0


def test_printing():
    assert repr(T.Compose([T.ToTensor(), T.RandomCrop(4)])).startswith(
        "Compose(\n    ToTensor()\n    RandomCrop(size=(4, 4)"
    )
