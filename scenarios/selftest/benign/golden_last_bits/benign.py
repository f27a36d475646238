"""Each probability is a unit in the last place away, up or down, as from another build of the runtime."""

import sys

import numpy as np

from reference_service.__main__ import main
from reference_service.model.inference import Model

exact = Model.predict


def neighbour(value):
    """The float32 next to one, to the side that its last bits say; the same whenever it is asked."""
    single = np.float32(value)
    up = single.view(np.uint32).item() % 3 == 0
    return float(np.clip(np.nextafter(single, np.float32(up)), 0, 1))


def noisy(self, rows):
    """Labels stay those of the exact probabilities."""
    return [
        prediction.model_copy(
            update={
                "probabilities": {name: neighbour(value) for name, value in prediction.probabilities.items()}
            }
        )
        for prediction in exact(self, rows)
    ]


Model.predict = noisy
sys.exit(main())
