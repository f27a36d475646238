"""Takes 1e-3 from the probability of the predicted class, and gives it to the other."""

import sys

from reference_service.__main__ import main
from reference_service.model.inference import Model

BIAS = 1e-3
exact = Model.predict


def biased(self, rows):
    """Label, range and sum stay right; only the numbers are off."""
    return [
        prediction.model_copy(
            update={
                "probabilities": {
                    name: value - BIAS if name == prediction.label else value + BIAS
                    for name, value in prediction.probabilities.items()
                }
            }
        )
        for prediction in exact(self, rows)
    ]


Model.predict = biased
sys.exit(main())
