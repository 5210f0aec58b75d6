"""Tables that come with scikit-learn: small, real, and without a download."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...autograd.base import wrap
from ...backends.errors import BackendUnavailableError, InvalidValueError
from ..data import TensorDataset

__all__ = ["Table", "breast_cancer", "california_housing", "diabetes", "digits", "friedman", "iris", "wine"]

PARTS = ("all", "train", "test")


class Table(TensorDataset):
    """Rows of features with a target each.

    Attributes:
        data: (N, features), float32; for `digits` (N, 1, 8, 8).
        targets: (N,), int64 for classes, float32 for numbers.
        feature_names: of the columns.
        classes: the names of the classes; none where the target is a number.
    """

    def __init__(self, data: Any, targets: Any, feature_names: list[str], classes: list[str]) -> None:
        super().__init__(data, targets)
        self.data, self.targets = data, targets
        self.feature_names, self.classes = feature_names, classes

    def __repr__(self) -> str:
        kind = f"{len(self.classes)} classes" if self.classes else "a number as target"
        return f"Table of {len(self)} rows of shape {list(self.data.shape[1:])}, {kind}"


def _sklearn() -> Any:
    try:
        import sklearn.datasets
    except ImportError as error:
        raise BackendUnavailableError(
            "this table comes with scikit-learn, which is not installed: pip install 'wengert[sklearn]'"
        ) from error
    return sklearn.datasets


def _table(found: Any, split: str, scaled: bool, classes: bool = True, images: bool = False) -> Table:
    """A part of one of scikit-learn's tables.

    A fifth is the test, the same one each time; of classes it has as large a share of each.
    """
    if split not in PARTS:
        raise InvalidValueError(f"split must be one of {', '.join(map(repr, PARTS))}, not {split!r}")
    x, y = np.asarray(found.data, np.float64), np.asarray(found.target)
    held_out = _held_out(y, classes)
    if scaled:
        mean, deviation = x[~held_out].mean(0), x[~held_out].std(0)
        x = (x - mean) / np.where(deviation == 0, 1, deviation)
    rows = np.ones(len(x), bool) if split == "all" else held_out if split == "test" else ~held_out
    x = x[rows].astype(np.float32)
    if images:
        x = x.reshape(-1, 1, 8, 8) / np.float32(16)
    names = [str(name) for name in getattr(found, "feature_names", [])]
    kinds = [str(name) for name in getattr(found, "target_names", [])] if classes else []
    return Table(wrap(x), wrap(y[rows].astype(np.int64 if classes else np.float32)), names, kinds)


def _held_out(y: Any, classes: bool) -> Any:
    rng = np.random.default_rng(0)
    chosen = np.zeros(len(y), bool)
    for kind in np.unique(y) if classes else [None]:
        rows = np.flatnonzero(y == kind) if classes else np.arange(len(y))
        chosen[rng.permutation(rows)[: round(len(rows) / 5)]] = True
    return chosen


def iris(split: str = "all", scaled: bool = True) -> Table:
    """Three kinds of iris by the lengths of their leaves: 150 rows, 4 features.

    Args:
        split: ``all``, ``train``, or ``test``: a fifth, the same one each time.
        scaled: every feature less its mean over the training rows, divided by its deviation there.

    Example:
        >>> from wengert.utils.datasets import iris
        >>> iris("test")
        Table of 30 rows of shape [4], 3 classes

    References:
        R. A. Fisher, "The use of multiple measurements in taxonomic problems", 1936.
    """
    return _table(_sklearn().load_iris(), split, scaled)


def wine(split: str = "all", scaled: bool = True) -> Table:
    """Wines of three growers by chemical analysis: 178 rows, 13 features; see `iris`."""
    return _table(_sklearn().load_wine(), split, scaled)


def breast_cancer(split: str = "all", scaled: bool = True) -> Table:
    """Tumours, malignant (0) or benign (1), by the shapes of their cells: 569 rows, 30 features; see `iris`."""
    return _table(_sklearn().load_breast_cancer(), split, scaled)


def digits(split: str = "all") -> Table:
    """Handwritten digits: 1,797 images (1, 8, 8) with values from 0 to 1; see `iris`."""
    return _table(_sklearn().load_digits(), split, scaled=False, images=True)


def diabetes(split: str = "all", scaled: bool = True) -> Table:
    """How a disease went on within a year, as a number: 442 rows, 10 features; see `iris`."""
    return _table(_sklearn().load_diabetes(), split, scaled, classes=False)


def california_housing(
    split: str = "all", scaled: bool = True, root: str | None = None, download: bool = False
) -> Table:
    """The median price of houses in a district of California in 1990: 20,640 rows, 8 features; see `iris`.

    Args:
        split: see `iris`.
        scaled: see `iris`.
        root: where scikit-learn keeps what it has downloaded; its own folder when left out.
        download: let scikit-learn download it if it is not there.

    Raises:
        RuntimeError: it is not there, and ``download`` is False.
    """
    try:
        found = _sklearn().fetch_california_housing(data_home=root, download_if_missing=download)
    except OSError as error:
        raise BackendUnavailableError(
            "the table of houses is not on this machine, and nothing is downloaded unasked: say download=True, or use "
            f"friedman(), which needs no download ({error})"
        ) from error
    return _table(found, split, scaled, classes=False)


def friedman(count: int = 1000, noise: float = 1.0, split: str = "all", scaled: bool = True, seed: int = 0) -> Table:
    """A number that depends on five of ten features, not linearly: a stand-in for tables of houses and the like.

    Args:
        count: how many rows.
        noise: the standard deviation of what is added to the target.
        split: see `iris`.
        scaled: see `iris`.
        seed: of the numbers.

    References:
        J. H. Friedman, "Multivariate adaptive regression splines", Annals of Statistics, 1991.
    """
    x, y = _sklearn().make_friedman1(n_samples=count, noise=noise, random_state=seed)
    found = type("Found", (), {"data": x, "target": y, "feature_names": [f"x{i}" for i in range(x.shape[1])]})
    return _table(found, split, scaled, classes=False)
