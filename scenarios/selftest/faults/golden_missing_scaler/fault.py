"""Leaves out a scaler: the model gets values that are as far off as raw ones from scaled ones."""

import sys

import numpy as np

from reference_service.__main__ import main
from reference_service.model.inference import Model

exact = Model.predict


def unscaled(self, rows):
    """The model of this artifact has its scaler in its thresholds, so the error is made on the values."""
    with np.errstate(over="ignore"):
        values = self.tensor(rows) * (self._high - self._low) + self._low
    return exact(self, values)


Model.predict = unscaled
sys.exit(main())
