"""A request as bytes, for tests that send it in pieces or look at the connection."""


def post_head(path, length, *, key=None, more=()):
    """The head of a POST of JSON with so many bytes to come, and further header lines."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: x",
        *([f"X-API-Key: {key}"] if key else []),
        "Content-Type: application/json",
        f"Content-Length: {length}",
        *more,
    ]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()
