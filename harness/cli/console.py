"""Where the commands print their tables."""

from rich.console import Console

_COLUMNS = 160


def wide_console() -> Console:
    """The terminal, or a wide page where there is none: a table cut into pieces tells nothing."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=max(console.width, _COLUMNS))
