"""How tests start the reference service's containers, and how leftovers are found."""

LABELS = {"harness.test.reference_service": ""}
"""On every container and network that these tests make."""
LOCKED_UP = {
    "read_only": True,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
    "mem_limit": "512m",
    "pids_limit": 64,
    "labels": LABELS,
}
"""As the service's README says that it runs."""


def readable(path):
    """Let a container's user, who is not the one running the tests, read a file or folder."""
    path.chmod(0o755 if path.is_dir() else 0o644)
    return path
