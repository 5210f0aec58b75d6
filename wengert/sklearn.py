"""Networks as scikit-learn estimators; see `WengertClassifier` and `WengertRegressor`."""

from __future__ import annotations

from .utils.estimators import WengertClassifier as WengertClassifier
from .utils.estimators import WengertRegressor as WengertRegressor

__all__ = ["WengertClassifier", "WengertRegressor"]
