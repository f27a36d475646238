"""Regular expressions in a suite, compiled when it is read."""

import re
from typing import Annotated

from pydantic import AfterValidator


def _compiles(text: str) -> str:
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:  # a{9999999999} overflows, ((((... recurses
        raise ValueError(f"not a regular expression: {error}") from error
    return text


Expression = Annotated[str, AfterValidator(_compiles)]
"""Python's."""
