"""Decides a borderline case otherwise: only one of the requests lies that near the middle."""

import sys

from reference_service.__main__ import main
from reference_service.model.inference import Model

MIDDLE = 0.5
BORDER = 0.02
exact = Model.predict


def decided_otherwise(self, rows):
    """The probabilities stay what they were."""
    return [
        prediction.model_copy(
            update={"label": next(name for name in prediction.probabilities if name != prediction.label)}
        )
        if abs(prediction.probabilities[prediction.label] - MIDDLE) < BORDER
        else prediction
        for prediction in exact(self, rows)
    ]


Model.predict = decided_otherwise
sys.exit(main())
