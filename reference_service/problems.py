"""How a problem that pydantic found is told, and the exit code of a service that refuses to start."""

from pydantic import ValidationError

EXIT_REFUSED = 3


def first_problem(error: ValidationError) -> str:
    """Name the place of the first problem and what is wrong there, never the value, which may be a secret."""
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}".removeprefix(": ")
