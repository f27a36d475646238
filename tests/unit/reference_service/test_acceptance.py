"""A model that misses its bar is refused, and what calibration error means."""

import numpy as np
import pytest

from reference_service.pipeline.acceptance import accept, calibration_error
from reference_service.pipeline.declaration import Bar
from reference_service.pipeline.errors import RejectedModelError

BARS = [
    Bar(metric="recall", comparison="at_least", limit=0.9),
    Bar(metric="error", comparison="at_most", limit=0.1),
]


def test_a_model_at_its_bar_is_accepted_with_what_was_observed():
    criteria = accept({"recall": 0.9, "error": 0.10000000001, "other": 0.0}, BARS)
    assert [(each.metric, each.limit, each.observed) for each in criteria] == [
        ("recall", 0.9, 0.9),
        ("error", 0.1, 0.1),
    ]


@pytest.mark.parametrize(
    ("measured", "message"),
    [
        ({"recall": 0.899, "error": 0.1}, "recall = 0.899, declared at_least 0.9$"),
        ({"recall": 0.9, "error": 0.101}, "error = 0.101, declared at_most 0.1$"),
        ({"recall": 0.9}, "not measured: .'error'."),
        ({"recall": float("nan"), "error": 0.0}, "recall = nan"),
    ],
)
def test_a_model_below_its_bar_is_refused(measured, message):
    with pytest.raises(RejectedModelError, match=message):
        accept(measured, BARS)


@pytest.mark.parametrize(
    ("confidence", "right", "error"),
    [
        ([0.75] * 4, [True, True, True, False], 0.0),
        ([0.75] * 4, [True] * 4, 0.25),
        ([0.75] * 4, [False] * 4, 0.75),
        ([1.0, 1.0, 0.55, 0.55], [True, True, True, False], 0.025),
    ],
)
def test_calibration_error_is_the_gap_between_confidence_and_accuracy(confidence, right, error):
    probabilities = np.array([[each, 1 - each] for each in confidence])
    assert calibration_error(probabilities, np.array(right)) == pytest.approx(error)
