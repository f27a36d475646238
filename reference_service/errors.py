"""Errors that more than one package raises: a refused request, and a file with keys that can't be used."""

from collections.abc import Mapping

from starlette.exceptions import HTTPException


class ApiError(HTTPException):
    """An expected failure with its status, code and, where one is to blame, field.

    A subclass of `HTTPException`, so that it passes through code that reads a body unharmed.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status_code=status, detail=message, headers=headers)
        self.code = code
        self.field = field


class KeyFileError(Exception):
    """A file with keys can't be used; the service does not start, or goes on with the keys it has."""
