"""Networks as scikit-learn estimators: for pipelines, grid searches and cross-validation."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from ..autograd import ops
from ..autograd.grad_mode import no_grad
from ..autograd.random import own_stream
from ..backends import Device
from ..nn import functional as F
from ..nn.containers import Sequential
from ..nn.linear import Linear
from ..nn.rectifiers import ReLU
from ..optim import Adam

__all__ = ["WengertClassifier", "WengertRegressor"]

Network = Callable[[int, int], Any]


class _Estimator(BaseEstimator):  # type: ignore[misc]
    """What classifier and regressor share."""

    def __init__(
        self,
        network: Network | None = None,
        hidden: Sequence[int] = (64,),
        lr: float = 1e-2,
        epochs: int = 200,
        batch_size: int = 200,
        weight_decay: float = 1e-4,
        tol: float = 1e-4,
        patience: int = 10,
        device: Any = "cpu",
        random_state: Any = None,
    ) -> None:
        self.network = network
        self.hidden = hidden
        self.lr = lr
        self.epochs = epochs
        self.batch_size = batch_size
        self.weight_decay = weight_decay
        self.tol = tol
        self.patience = patience
        self.device = device
        self.random_state = random_state

    def _made(self, inputs: int, outputs: int) -> Any:
        if self.network is not None:
            return self.network(inputs, outputs)
        sizes = [inputs, *self.hidden]
        layers: list[Any] = []
        for before, after in itertools.pairwise(sizes):
            layers += [Linear(before, after), ReLU()]
        return Sequential(*layers, Linear(sizes[-1], outputs))

    def _train(self, x: Any, y: Any, weights: Any, outputs: int) -> None:
        """Fit ``model_`` to arrays: (N, features), and targets as `_loss` takes them.

        All is computed in float64, as in scikit-learn: its users compare results to the last digits.
        """
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        device = Device(self.device)
        # Inputs of very different sizes are common in tables, and networks learn slowly from them.
        self._mean, self._scale = moments(x, weights)
        inputs = ops.tensor(self._scaled(x), device=device)
        targets, shares = ops.tensor(y, device=device), ops.tensor(weights, device=device)
        with own_stream(seed):
            self.model_ = self._made(x.shape[1], outputs).to(device).double()
            optimizer = Adam(self.model_.parameters(), lr=self.lr, weight_decay=self.weight_decay)
            self.loss_curve_: list[float] = []
            best, waited = math.inf, 0
            self.model_.train()
            for _ in range(self.epochs):
                loss = self._epoch(inputs, targets, shares, optimizer)
                self.loss_curve_.append(loss)
                waited = waited + 1 if loss > best - self.tol else 0
                best = min(best, loss)
                if waited >= self.patience:
                    break
        self.model_.eval()
        self.n_iter_ = len(self.loss_curve_)

    def _epoch(self, inputs: Any, targets: Any, shares: Any, optimizer: Any) -> float:
        total, order = 0.0, ops.randperm(len(inputs), device=inputs.device)
        for start in range(0, len(inputs), self.batch_size):
            rows = order[start : start + self.batch_size]
            weight = shares[rows].sum()
            if float(weight) == 0:
                continue
            loss = (self._loss(self.model_(inputs[rows]), targets[rows]) * shares[rows]).sum() / weight
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * float(weight)
        return total / float(shares.sum())

    def _scaled(self, x: Any) -> Any:
        return (x - self._mean) / self._scale

    def _loss(self, output: Any, target: Any) -> Any:
        raise NotImplementedError

    @no_grad()
    def _outputs(self, X: Any) -> Any:
        check_is_fitted(self, "model_")
        x = self._scaled(validate_data(self, X, reset=False, dtype=np.float64))
        device = Device(self.device)
        parts = [self.model_(ops.tensor(x[i : i + 1024], device=device)) for i in range(0, len(x), 1024)]
        return ops.cat(parts).cpu().numpy()

    def _weights_of(self, sample_weight: Any, x: Any) -> Any:
        weights = _check_sample_weight(sample_weight, x, dtype=np.float64, ensure_non_negative=True)
        if not weights.sum():
            raise ValueError("sample_weight is zero for every row, which leaves nothing to learn from")
        return weights

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = False
        return tags


def moments(values: Any, weights: Any) -> tuple[Any, Any]:
    """The mean and the deviation of each column; 1 in place of a deviation of 0."""
    mean = np.average(values, axis=0, weights=weights)
    deviation = np.sqrt(np.average((values - mean) ** 2, axis=0, weights=weights))
    return mean, np.where(deviation == 0, 1, deviation)


class WengertClassifier(ClassifierMixin, _Estimator):  # type: ignore[misc]
    """A network as a classifier of scikit-learn's.

    Args:
        network: ``network(inputs, outputs)`` makes the module; linear layers with ReLU between them when left out.
        hidden: the widths of these layers.
        lr: of Adam.
        epochs: the most passes over the data.
        batch_size: rows to an update; up to so many rows, every update sees all of them.
        weight_decay: of Adam.
        tol: how much the loss must fall to count as a gain.
        patience: how many passes without a gain end the training.
        device: where it trains.
        random_state: a number or NumPy's RandomState, for the same network each time.

    Attributes:
        model_: the trained module.
        classes_: the classes that were seen.
        n_iter_: the passes over the data.
        loss_curve_: the loss of each.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.model_selection import cross_val_score
        >>> from wengert.sklearn import WengertClassifier
        >>> x, y = load_iris(return_X_y=True)
        >>> scores = cross_val_score(WengertClassifier(random_state=0), x, y, cv=3)
        >>> bool(scores.mean() > 0.9)
        True
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> WengertClassifier:
        """Train on rows (N, features) and their classes (N,)."""
        x, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        encoder = LabelEncoder().fit(y)
        self.classes_ = encoder.classes_
        weights = self._weights_of(sample_weight, x)
        self._train(x, encoder.transform(y).astype(np.int64), weights, max(len(self.classes_), 1))
        return self

    def _loss(self, output: Any, target: Any) -> Any:
        return F.cross_entropy(output, target, reduction="none")

    def predict_proba(self, X: Any) -> Any:
        """The probability of each class: (N, classes)."""
        scores = self._outputs(X)
        powers = np.exp(scores - scores.max(1, keepdims=True))
        return powers / powers.sum(1, keepdims=True)

    def predict(self, X: Any) -> Any:
        """The likeliest class of each row: (N,)."""
        chosen = self._outputs(X).argmax(1)
        return self.classes_[chosen]


class WengertRegressor(RegressorMixin, _Estimator):  # type: ignore[misc]
    """A network as a regressor of scikit-learn's; see `WengertClassifier` for its arguments.

    The targets are scaled to mean 0 and deviation 1 to train, and back to predict. There may be several a row.
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> WengertRegressor:
        """Train on rows (N, features) and their targets (N,) or (N, outputs)."""
        x, y = validate_data(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True)
        y = y.astype(np.float64)
        self._single = y.ndim == 1
        y = y[:, None] if self._single else y
        weights = self._weights_of(sample_weight, x)
        self._y_mean, self._y_scale = moments(y, weights)
        self._train(x, (y - self._y_mean) / self._y_scale, weights, y.shape[1])
        return self

    def _loss(self, output: Any, target: Any) -> Any:
        return ((output - target) ** 2).mean(1)

    def predict(self, X: Any) -> Any:
        """The targets of rows: (N,) or (N, outputs), as they were to `fit`."""
        y = self._outputs(X) * self._y_scale + self._y_mean
        return y[:, 0] if self._single else y

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
