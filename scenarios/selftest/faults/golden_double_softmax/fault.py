"""Makes probabilities of what are probabilities already: the order stays, the confidence is lost."""

import math
import sys

from reference_service.__main__ import main
from reference_service.model.inference import Model

exact = Model.predict


def softmax(values):
    """Values that add up to 1, from any."""
    weights = {name: math.exp(value) for name, value in values.items()}
    return {name: weight / sum(weights.values()) for name, weight in weights.items()}


def softened(self, rows):
    """As where the model's graph got a softmax at its end and the service kept its own."""
    return [
        prediction.model_copy(update={"probabilities": softmax(prediction.probabilities)})
        for prediction in exact(self, rows)
    ]


Model.predict = softened
sys.exit(main())
