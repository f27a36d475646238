"""How many nodes of a model each execution provider runs, by the runtime's own profile of a run."""

import json
import logging
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LOGGER = logging.getLogger(__name__)
RUN_OF_KERNEL = "_kernel_time"


@contextmanager
def profile_folder() -> Iterator[Path | None]:
    """Give a folder for a profile, gone at the end; None where nothing can be written."""
    try:
        folder = tempfile.TemporaryDirectory(prefix="profile-")
    except OSError as error:
        LOGGER.warning("no profile of the sample, nothing can be written: %s", error)
        yield None
        return
    with folder as path:
        yield Path(path)


def read_profile(path: Path) -> dict[str, int] | None:
    """Count the nodes that a profiled run ran, by execution provider; None if the file can't be read."""
    try:
        return count_nodes(json.loads(path.read_bytes()))
    except (OSError, ValueError) as error:
        LOGGER.warning("no profile of the sample: %s", error)
        return None


def count_nodes(events: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Count the nodes in the events of a profile by execution provider; one that ran more than once is one.

    Those that the runtime adds count too, a copy between CPU and GPU (``MemcpyToHost``) for one. They are the
    nodes of the optimised graph, of which a provider may have made one from several.
    """
    nodes = {
        (event["args"]["provider"], event["name"])
        for event in events
        if event.get("cat") == "Node"
        and event["name"].endswith(RUN_OF_KERNEL)
        and "provider" in event.get("args", {})
    }
    return dict(sorted(Counter(provider for provider, _name in nodes).items()))
