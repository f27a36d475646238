"""Every probability is a number of half precision."""

import struct

from probing import cases, given, golden, prove

ROWS = 20
TOLD = given()


def shows(client):
    """By golden cases, whose values have more digits than that."""
    values = [
        value
        for _, answer in golden(client, TOLD.headers["api_key"], cases(ROWS))
        for value in answer["probabilities"].values()
    ]
    return all(struct.unpack("e", struct.pack("e", value))[0] == value for value in values)


prove(TOLD, shows, "probabilities have half precision")
