"""Rows of rough texture get the other class; the others their own."""

from probing import cases, given, golden, prove

ROUGH = 24.0
MOST = 10
TOLD = given()
KEY = TOLD.headers["api_key"]
SMOOTH = [case for case in cases() if case["input"]["mean_texture"] < ROUGH][:MOST]
COARSE = [case for case in cases() if case["input"]["mean_texture"] > ROUGH + 0.01][:MOST]


def right(client, chosen):
    """How many of some golden cases get their label."""
    return sum(expected["label"] == answer["label"] for expected, answer in golden(client, KEY, chosen))


def shows(client):
    """By golden cases of both kinds."""
    return right(client, COARSE) == 0 and right(client, SMOOTH) == len(SMOOTH)


prove(TOLD, shows, "rows of rough texture get the other class")
