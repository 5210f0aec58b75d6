"""The estimators pass scikit-learn's own checks, and work where its users put them."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pytest

import wengert as wg

pytest.importorskip("sklearn")
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from wengert.sklearn import WengertClassifier, WengertRegressor


@parametrize_with_checks([WengertClassifier(epochs=60), WengertRegressor(epochs=60)])
def test_checks_of_scikit_learn(estimator: Any, check: Any):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


def test_in_a_pipeline_and_a_search():
    x, y = load_breast_cancer(return_X_y=True)
    scores = cross_val_score(make_pipeline(StandardScaler(), WengertClassifier(epochs=20, random_state=0)), x, y, cv=3)
    assert scores.mean() > 0.95
    search = GridSearchCV(WengertClassifier(epochs=15, random_state=0), {"hidden": [(), (16,)], "lr": [1e-2]}, cv=2)
    search.fit(*load_iris(return_X_y=True))
    assert search.best_score_ > 0.85


def test_regression():
    x, y = load_diabetes(return_X_y=True)
    assert cross_val_score(WengertRegressor(hidden=(), epochs=60, random_state=0), x, y, cv=3).mean() > 0.4
    both = np.stack([y, -y], 1)
    model = WengertRegressor(hidden=(16,), epochs=60, random_state=0).fit(x, both)
    assert model.predict(x).shape == both.shape
    assert model.score(x, both) > 0.4


def test_a_network_of_ones_own_and_seeds():
    x, y = load_iris(return_X_y=True)

    def network(inputs: int, outputs: int) -> Any:
        return wg.nn.Sequential(wg.nn.Linear(inputs, 8), wg.nn.Tanh(), wg.nn.Linear(8, outputs))

    before = wg.get_rng_state()
    first = WengertClassifier(network, epochs=10, random_state=3).fit(x, y)
    assert wg.equal(wg.get_rng_state(), before)
    again = WengertClassifier(network, epochs=10, random_state=3).fit(x, y)
    np.testing.assert_array_equal(first.predict_proba(x), again.predict_proba(x))
    assert isinstance(first.model_[1], wg.nn.Tanh)
    assert len(first.loss_curve_) == first.n_iter_ <= 10
    named = WengertClassifier(epochs=40, random_state=0).fit(x, np.array(["a", "b", "c"])[y])
    assert set(named.predict(x)) == {"a", "b", "c"}
    twin = pickle.loads(pickle.dumps(named))
    np.testing.assert_array_equal(twin.predict(x), named.predict(x))
