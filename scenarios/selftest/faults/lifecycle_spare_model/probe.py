"""With a model that is damaged it gets ready, and predicts."""

import httpx
from containers import Starter, prove_of_starts
from probing import ARTIFACT, given, predict, sample

DAMAGED = {f"{ARTIFACT}/model.onnx": b"not the model that the manifest names"}


def shows(start: Starter, _given: httpx.Client) -> bool:
    """Whether it serves at all; the healthy one ends."""
    with start(DAMAGED) as own:
        if not own.ready():
            return False
        with own.client() as client:
            return predict(client, own.headers, sample()).status_code == httpx.codes.OK


prove_of_starts(given(), shows, "it predicts with a damaged model")
