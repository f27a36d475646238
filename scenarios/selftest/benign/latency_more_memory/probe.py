"""It holds 8 MiB more than the healthy one; both were just started."""

from containers import held_bytes, serving
from probing import differs, given

LEAST_BYTES = 6 * 1024 * 1024

told = given()

with told.engine() as engine:
    entry, again = (held_bytes(engine.containers.get(told.container_id)) for _ in range(2))
    healthy = held_bytes(serving(engine, told.healthy_url))
    differs(
        min(entry, again) - healthy >= LEAST_BYTES,
        abs(entry - again) >= LEAST_BYTES,
        f"it holds {LEAST_BYTES} bytes more",
    )
