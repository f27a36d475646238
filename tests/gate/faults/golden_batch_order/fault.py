"""Answers a batch sorted by label, not in the order it was asked."""

import sys

from reference_service.__main__ import main
from reference_service.model.inference import Model

in_order = Model.predict


def by_label(self, rows):
    """One row is always in order, so that single requests and the sample are right."""
    return sorted(in_order(self, rows), key=lambda prediction: prediction.label)


Model.predict = by_label
sys.exit(main())
