"""Probabilities that differ in their last digits, upwards and downwards, as another processor's would."""

import sys
from itertools import cycle

from reference_service.__main__ import main
from reference_service.model.inference import Model

NOISE = cycle([1e-7, -1e-7, 0.0, 2e-7, -2e-7])
exact = Model.predict


def rounded_otherwise(self, rows):
    """Labels stay what they were."""
    return [
        prediction.model_copy(
            update={
                "probabilities": {
                    name: min(max(value + noise, 0.0), 1.0)
                    for (name, value), noise in zip(
                        prediction.probabilities.items(), (step, -step), strict=True
                    )
                }
            }
        )
        for prediction, step in zip(exact(self, rows), NOISE, strict=False)
    ]


Model.predict = rounded_otherwise
sys.exit(main())
