"""Adds a little to each probability of a class: less than two answers may differ by, and always upwards."""

import sys

from reference_service.__main__ import main
from reference_service.model.inference import Model

OFFSET = 0.008
exact = Model.predict


def lifted(self, rows):
    """The label stays that of the exact probabilities."""
    return [
        prediction.model_copy(
            update={
                "probabilities": {
                    "benign": max(prediction.probabilities["benign"] - OFFSET, 0.0),
                    "malignant": min(prediction.probabilities["malignant"] + OFFSET, 1.0),
                }
            }
        )
        for prediction in exact(self, rows)
    ]


Model.predict = lifted
sys.exit(main())
