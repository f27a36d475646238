"""What the environment must not say, and how a wrong setting in it is told."""

import difflib
import re
from collections.abc import Mapping

from pydantic import ValidationError

from reference_service.problems import first_problem
from reference_service.settings import Settings

PREFIX = "SERVICE_"
INJECTED = re.compile(
    r"SERVICE_(\w+_)?(SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)"
)
"""What a cluster sets for a service of its own that is called `service` or `service-…`."""
INJECTED_URL = re.compile(r"(tcp|udp|sctp)://")
"""The value of its `SERVICE_…_PORT`."""


class UnknownSettingError(Exception):
    """A variable with the prefix of the settings is none."""


def refuse_unknown(environ: Mapping[str, str]) -> None:
    """Let no misspelt setting be ignored; an empty variable is not set.

    Raises:
        UnknownSettingError: Names the variable, and the setting that it may have been meant to be.
    """
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    for name, value in sorted(environ.items()):
        if not name.startswith(PREFIX) or name in known or not value:
            continue
        if INJECTED.fullmatch(name) or (name.endswith("_PORT") and INJECTED_URL.match(value)):
            continue
        meant = difflib.get_close_matches(name.removeprefix(PREFIX).lower(), Settings.model_fields, n=1)
        hint = (
            f"did you mean {PREFIX}{meant[0].upper()}?"
            if meant
            else "the table of settings lists all that there are"
        )
        raise UnknownSettingError(f"{name}: there is no such setting; {hint}")


def wrong_setting(error: ValidationError) -> str:
    """Tell the first problem of the settings by the name of the variable, never the value."""
    problem = first_problem(error)
    field = problem.partition(":")[0]
    return (
        f"{PREFIX}{field.upper()}{problem.removeprefix(field)}" if field in Settings.model_fields else problem
    )
