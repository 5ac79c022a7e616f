"""XGBoost, imported without scikit-learn.

XGBoost imports scikit-learn, and through it pandas and scipy.stats, if it can: three quarters of
its import time, for wrappers that a container never uses. None in `sys.modules` is how Python
says that a module cannot be imported.
"""

import sys

sys.modules.setdefault("sklearn", None)  # type: ignore[arg-type]

import xgboost  # noqa: E402

__all__ = ["xgboost"]
