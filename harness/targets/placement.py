"""Whether a model runs on the GPU that was asked for, by what its service says."""

from typing import Any

from pydantic import TypeAdapter, ValidationError

from harness.model import as_utf8

MOST_PROVIDERS = 32
MOST_CHARACTERS = 200
_PROVIDERS: TypeAdapter[list[str]] = TypeAdapter(list[str])
_NODES: TypeAdapter[dict[str, int]] = TypeAdapter(dict[str, int])


def providers_in(value: Any) -> tuple[str, ...] | None:
    """The list of execution providers, None if that is not what ``value`` is."""
    try:
        return tuple(
            as_utf8(name[:MOST_CHARACTERS]) for name in _PROVIDERS.validate_python(value, strict=True)
        )[:MOST_PROVIDERS]
    except ValidationError:
        return None


def nodes_in(value: Any) -> dict[str, int] | None:
    """Nodes by execution provider, None if that is not what ``value`` is."""
    try:
        counts = _NODES.validate_python(value, strict=True)
    except ValidationError:
        return None
    if len(counts) > MOST_PROVIDERS or any(count < 0 for count in counts.values()):
        return None
    return {as_utf8(name[:MOST_CHARACTERS]): count for name, count in counts.items()}


def is_cpu(provider: str) -> bool:
    """Whether this is the name of a provider that runs on the CPU."""
    return "CPU" in provider.upper()


def runs_elsewhere(provider: str, nodes: dict[str, int]) -> str:
    """Say what shows that a model fell back to the CPU, or left it, unlike its service says; else empty.

    Args:
        provider: What runs the model, as the service says.
        nodes: By provider.
    """
    if any(count for name, count in nodes.items() if is_cpu(name) == is_cpu(provider)):
        return ""
    told = ", ".join(f"{count} on {name}" for name, count in nodes.items())
    return f"it says that {provider[:MOST_CHARACTERS]} runs its model, of which no node ran there ({told})"


def not_on_gpu(
    provider: str | None,
    providers: tuple[str, ...] | None,
    nodes: dict[str, int] | None,
    *,
    max_cpu_nodes: int,
) -> str:
    """Say what shows that a model does not run on a GPU; empty if nothing does.

    Args:
        provider: What runs the model.
        providers: All that may, in order of preference; None where the suite does not say where that is told.
        nodes: By provider, None likewise.
        max_cpu_nodes: So many may run on the CPU.
    """
    if not provider or is_cpu(provider):
        return f"the service says it runs its model on {provider or 'nothing'}"
    if providers is not None and (not providers or is_cpu(providers[0])):
        return f"the execution providers of its session are {', '.join(providers) or 'none'}"
    if nodes is None:
        return ""
    on_cpu = sum(count for name, count in nodes.items() if is_cpu(name))
    elsewhere = sum(nodes.values()) - on_cpu
    told = ", ".join(f"{count} on {name}" for name, count in nodes.items())
    if not elsewhere:
        return f"no node of its model ran on one ({told or 'none is told'})"
    if on_cpu > max_cpu_nodes:
        return f"{on_cpu} nodes of its model ran on the CPU, allowed are {max_cpu_nodes} ({told})"
    return ""
