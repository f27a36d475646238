"""Where the Redis of the rate limits is. The URL may hold a password, so it may be in a mounted file."""

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

DATABASE = re.compile(r"/?|/[0-9]+")
OPTIONS = {
    "redis": {"username", "password"},
    "rediss": {"username", "password", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile"},
}
"""The client library takes more, some of which turn off what the service relies on."""
FORM = "redis://HOST:6379/0 or rediss://HOST:6379/0"
TAKEN = "username, password and, of rediss, ssl_ca_certs, ssl_certfile and ssl_keyfile"


class RedisUrlError(ValueError):
    """A Redis URL is missing or wrong; the message never holds the URL."""


def read_redis_url(file: Path) -> str:
    """Read the URL that is all that a mounted file holds.

    Raises:
        RedisUrlError: The file can't be read, or holds something else.
    """
    try:
        return check_redis_url(file.read_text(encoding="utf-8").strip())
    except OSError as error:
        raise RedisUrlError(f"{file}: {error.strerror}") from error
    except ValueError as error:
        raise RedisUrlError(f"{file}: {error}") from None


def check_redis_url(url: str) -> str:
    """Return a URL that can be one of Redis; raise a ValueError that does not repeat it otherwise."""
    try:
        parts = urlsplit(url)
        options = parse_qs(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        usable = (
            parts.scheme in OPTIONS
            and bool(parts.hostname)
            and parts.port != 0
            and DATABASE.fullmatch(parts.path) is not None
            and options.keys() <= OPTIONS[parts.scheme]
            and all(values[0] for values in options.values())
            and not parts.fragment
            and url.split() == [url]
        )
    except ValueError:  # its message may repeat a part of the password
        usable = False
    if not usable:
        raise RedisUrlError(f"this is no Redis URL; it must be like {FORM}, with no options but {TAKEN}")
    return url


def check_public_redis_url(url: str) -> str:
    """Return a Redis URL without a password; raise a ValueError that does not repeat it otherwise."""
    parts = urlsplit(check_redis_url(url))
    if parts.password or "password" in parse_qs(parts.query):
        raise RedisUrlError(
            "the URL holds a password: put it into a file and name that in SERVICE_RATE_LIMIT_REDIS_URL_FILE"
        )
    return url
