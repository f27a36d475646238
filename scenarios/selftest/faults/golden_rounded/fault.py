"""Rounds its probabilities to four decimals, for people to read."""

import sys

from reference_service.__main__ import main
from reference_service.model.inference import Model

DECIMALS = 4
exact = Model.predict


def rounded(self, rows):
    """A rare class is then as good as impossible, or twice as likely."""
    return [
        prediction.model_copy(
            update={
                "probabilities": {
                    name: round(value, DECIMALS) for name, value in prediction.probabilities.items()
                }
            }
        )
        for prediction in exact(self, rows)
    ]


Model.predict = rounded
sys.exit(main())
