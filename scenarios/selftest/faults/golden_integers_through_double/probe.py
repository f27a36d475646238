"""A number that no double holds gets one answer as a number and another as its bytes; all others get one."""

from base64 import b64encode

from probing import answered, cases, given, prove

TOLD = given()
REFERENCES = [case["input"][0] for case in cases(artifact="check-digits")]


def label(client, instance):
    """What a reference is answered."""
    asked = client.post("/predict", headers=TOLD.headers["api_key"], json={"instance": instance})
    return answered(asked)["label"]


def apart(client, reference):
    """Whether its two writings get two answers."""
    content = reference.to_bytes(8, "little", signed=True)
    return label(client, [reference]) != label(client, {"base64": b64encode(content).decode()})


def shows(client):
    """By references of which a double holds some."""
    changed = [each for each in REFERENCES if apart(client, each)]
    return bool(changed) and all(int(float(each)) != each for each in changed)


prove(TOLD, shows, "an integer beyond 2**53 gets another answer as a number than as its bytes")
