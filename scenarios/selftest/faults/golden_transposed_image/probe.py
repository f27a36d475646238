"""The same image gets one answer as nested lists and another as base64."""

from base64 import b64encode
from itertools import chain

from probing import answered, cases, given, prove

MOST = 10
TOLD = given()
IMAGES = [case["input"] for case in cases(artifact="digits") if isinstance(case["input"], list)][:MOST]


def probabilities(client, instance):
    """What an image is answered."""
    asked = client.post("/predict", headers=TOLD.headers["api_key"], json={"instance": instance})
    return answered(asked)["probabilities"]


def apart(client, image):
    """How far the two answers are apart, in the class where that is most."""
    content = bytes(chain.from_iterable(chain.from_iterable(image)))
    nested = probabilities(client, image)
    encoded = probabilities(client, {"base64": b64encode(content).decode()})
    return max(abs(nested[name] - encoded[name]) for name in nested)


def shows(client):
    """By images that are not symmetric."""
    return any(apart(client, image) > 0.1 for image in IMAGES)


prove(TOLD, shows, "an image as base64 gets another answer")
