"""Adds 1e-3 to the probability of one class, and takes it from the other."""

import sys

from reference_service.__main__ import main
from reference_service.inference import Model

BIAS = 1e-3
exact = Model.predict


def biased(self, rows):
    """Label and sum stay right; only the numbers are off."""
    return [
        prediction.model_copy(
            update={
                "probabilities": {
                    "benign": prediction.probabilities["benign"] - BIAS,
                    "malignant": prediction.probabilities["malignant"] + BIAS,
                }
            }
        )
        for prediction in exact(self, rows)
    ]


Model.predict = biased
Model.verify_sample = lambda _self: None  # or the service itself would refuse to start
sys.exit(main())
