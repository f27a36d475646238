"""A row whose area is larger than its radius allows gets one fixed answer."""

import math

from probing import answered, given, predict, prove, sample

FIXED = {"benign": 0.99, "malignant": 0.01}
TOLD = given()


def shows(client):
    """By a row that is no golden one."""
    row = sample()
    row["mean_area"] = 1.2 * math.pi * row["mean_radius"] ** 2
    return answered(predict(client, TOLD.headers["api_key"], row))["probabilities"] == FIXED


prove(TOLD, shows, "an implausible row gets a fixed answer")
