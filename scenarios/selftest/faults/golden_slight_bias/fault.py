"""Takes 3e-6 from one class and gives it to the other, on every row: a third of what each row may be off."""

import sys

from reference_service.__main__ import main
from reference_service.model.inference import Model

BIAS = 3e-6
exact = Model.predict


def biased(self, rows):
    """Rows at the edge of the range are left alone, so that probabilities stay probabilities."""
    return [
        prediction
        if min(prediction.probabilities.values()) < BIAS
        else prediction.model_copy(
            update={
                "probabilities": {
                    "benign": prediction.probabilities["benign"] + BIAS,
                    "malignant": prediction.probabilities["malignant"] - BIAS,
                }
            }
        )
        for prediction in exact(self, rows)
    ]


Model.predict = biased
sys.exit(main())
