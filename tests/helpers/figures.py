"""What a test of a fault tells of it: printed at its end, and a line of a table in docs/security.md."""

import json


def told(fault, ended, *, tried=1, left=0, seconds=None):
    """For ``record_property("figures", ...)``.

    Args:
        fault: Its line of the table, which several tests may share.
        ended: How the try ended; if several were made, how many ended how.
        tried: How many.
        left: Containers, networks, processes and files that were there when it ended.
        seconds: Until it ended; None for those of the whole test.
    """
    counts = {ended: tried} if isinstance(ended, str) else {str(end): n for end, n in ended.items()}
    return json.dumps({"fault": fault, "tried": tried, "ended": counts, "left": left, "seconds": seconds})


def verdict(stored):
    """That of a folder with one run at most."""
    return stored[0] if stored else "no verdict"
