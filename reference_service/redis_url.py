"""Where the Redis of the rate limits is. The URL may hold a password, so it may be in a mounted file."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

SCHEMES = ("redis", "rediss")
FORM = "redis://HOST:6379/0 or rediss://HOST:6379/0"


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
        usable = parts.scheme in SCHEMES and bool(parts.hostname) and parts.port != 0 and url.split() == [url]
    except ValueError:  # its message may repeat a part of the password
        usable = False
    if not usable:
        raise RedisUrlError(f"this is no Redis URL; it must be like {FORM}")
    return url


def check_public_redis_url(url: str) -> str:
    """Return a Redis URL without a password; raise a ValueError that does not repeat it otherwise."""
    parts = urlsplit(check_redis_url(url))
    if parts.password or "password" in parse_qs(parts.query):
        raise RedisUrlError(
            "the URL holds a password: put it into a file and name that in SERVICE_RATE_LIMIT_REDIS_URL_FILE"
        )
    return url
