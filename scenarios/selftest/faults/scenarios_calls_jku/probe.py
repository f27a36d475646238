"""Whether a token that names an address brings a connection to it."""

import socket

from containers import prove_of_containers
from forging import forged, parts_of
from probing import given, predict, sample

WAIT_S = 1
told = given()
HEADER, CLAIMS = parts_of(told.headers["bearer"])


def calls(container, client):
    """Listen on its gateway, which is this machine; what is opened waits to be accepted."""
    networks = container.attrs["NetworkSettings"]["Networks"].values()
    gateway = next(each["Gateway"] for each in networks if each["Gateway"])
    with socket.create_server((gateway, 0)) as listener:
        listener.settimeout(WAIT_S)
        address = f"http://{gateway}:{listener.getsockname()[1]}/jwks.json"
        token = forged(HEADER | {"jku": address}, CLAIMS, lambda _signed: b"no signature")
        refused = predict(client, token, sample()).status_code == 401
        try:
            listener.accept()[0].close()
        except TimeoutError:
            return False
        return refused


prove_of_containers(told, calls, "the address in a token that is refused is called")
