"""The container holds the memory of what it refused."""

import httpx
from probing import given, prove

BODY = b"x".rjust(1_000_000)
TIMES = 64
HELD_BYTES = TIMES * len(BODY) // 2
TOLD = given()


def held_bytes(engine, url):
    """The memory of the container that answers at a URL, without what the kernel caches of files."""
    port = str(httpx.URL(url).port)
    for container in engine.containers.list(ignore_removed=True):
        bindings = [binding for each in container.ports.values() for binding in each or ()]
        if any(binding["HostPort"] == port for binding in bindings):
            memory = container.stats(stream=False)["memory_stats"]
            return memory["stats"].get("anon", memory["stats"].get("rss"))
    raise LookupError(f"no container is published at port {port}")


def shows(client):
    """By 64 MB of bodies that are no JSON."""
    headers = {**TOLD.headers["api_key"], "Content-Type": "application/json"}
    with TOLD.engine() as engine:
        before = held_bytes(engine, str(client.base_url))
        refused = {client.post("/predict", headers=headers, content=BODY).status_code for _ in range(TIMES)}
        return refused == {400} and held_bytes(engine, str(client.base_url)) - before > HELD_BYTES


prove(TOLD, shows, "refused bodies stay in memory")
