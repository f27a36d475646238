"""Requests while the store of the quotas does not answer."""

from containers import prove_of_containers
from probing import given, predict, sample

told = given()


def store_of(container):
    """The container beside it that it knows as redis."""
    engine = container.client
    for name, network in container.attrs["NetworkSettings"]["Networks"].items():
        for each in engine.networks.get(network["NetworkID"]).containers:
            if "redis" in (each.attrs["NetworkSettings"]["Networks"][name]["Aliases"] or ()):
                return each
    raise LookupError("it has no store")


def opens(container, client):
    """Whether they are answered, as if nothing had to be counted."""
    store = store_of(container)
    store.pause()
    try:
        answers = [predict(client, told.headers["rate_first"], sample()) for _ in range(3)]
    finally:
        store.unpause()
    return all(each.status_code == 200 for each in answers)


prove_of_containers(told, opens, "requests are answered while nobody counts them")
