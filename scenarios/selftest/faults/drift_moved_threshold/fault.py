"""Says malignant from a probability of 0.2 on; the probabilities stay right."""

import sys

from reference_service.__main__ import main
from reference_service.model.inference import Model

THRESHOLD = 0.2
exact = Model.predict


def cautious(self, rows):
    """The label no longer follows the larger probability."""
    return [
        prediction.model_copy(update={"label": "malignant"})
        if prediction.probabilities["malignant"] >= THRESHOLD
        else prediction
        for prediction in exact(self, rows)
    ]


Model.predict = cautious
sys.exit(main())
