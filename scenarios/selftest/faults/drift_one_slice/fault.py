"""Takes one class for the other where the texture is rough: a share of all requests, and all of one slice."""

import sys

from reference_service.__main__ import main
from reference_service.model.inference import Model

TEXTURE = 1
ROUGH = 24.0
exact = Model.predict


def confused(self, rows):
    """Everything else is as it was."""
    return [
        prediction.model_copy(
            update={
                "label": next(name for name in prediction.probabilities if name != prediction.label),
                "probabilities": dict(
                    zip(prediction.probabilities, reversed(prediction.probabilities.values()), strict=True)
                ),
            }
        )
        if row[TEXTURE] > ROUGH
        else prediction
        for prediction, row in zip(exact(self, rows), self.tensor(rows), strict=True)
    ]


Model.predict = confused
sys.exit(main())
