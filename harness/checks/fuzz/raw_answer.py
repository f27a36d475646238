"""Reads HTTP/1.1 responses from bytes, as far as they have come."""

import re

MOST_ANSWER_BYTES = 64 * 1024
SUCCESS = range(200, 300)
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})\b[^\r\n]*\r?\n")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,18})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_JSON = re.compile(rb"^content-type:[ \t]*application/(?:[\w.-]+\+)?json\b", re.IGNORECASE | re.MULTILINE)
_CHUNKED = re.compile(rb"^transfer-encoding:[^\r\n]*chunked", re.IGNORECASE | re.MULTILINE)
_LAST_CHUNK = re.compile(rb"(?:^|\r\n)0\r\n(?:[^\r\n]{1,1000}\r\n){0,32}\r\n")
_NO_BODY = frozenset({204, 304})


def is_whole(content: bytes, answers: int = 1) -> bool:
    """Whether that many final responses and all of their bodies are there, as far as that shows."""
    for _ in range(answers):
        rest = _after(content)
        if rest is None:
            return False
        content = rest
    return True


def status_of(content: bytes, answers: int = 1) -> int | None:
    """The status of the last of the final responses, or of one before that is not 2xx; None without one."""
    status = None
    for index in range(answers):
        found = _STATUS.match(_final(content))
        status = None if found is None else int(found.group(1))
        rest = _after(content) if index + 1 < answers else b""
        if status not in SUCCESS:
            return status
        content = b"" if rest is None else rest
    return status


def body_of(content: bytes) -> bytes:
    """The body of the first final response, as far as it has come; chunks are put together."""
    rest = _final(content)
    head_end = _HEAD_END.search(rest)
    if head_end is None:
        return b""
    head, body = rest[: head_end.end()], rest[head_end.end() :]
    if _CHUNKED.search(head):
        return _joined(body)
    length = _LENGTH.search(head)
    return body if length is None else body[: int(length.group(1))]


def says_json(content: bytes) -> bool:
    """Whether the first final response has a body that its ``Content-Type`` calls JSON."""
    head, _, _ = _final(content).partition(b"\r\n\r\n")
    return _JSON.search(head) is not None and body_of(content) != b""


def _joined(body: bytes) -> bytes:
    content = b""
    while body:
        line, _, body = body.partition(b"\r\n")
        try:
            size = int(line.partition(b";")[0], 16)
        except ValueError:
            break
        if size <= 0:
            break
        content, body = content + body[:size], body[size + 2 :]
    return content


def _after(content: bytes) -> bytes | None:
    """What follows the first final response; None until that is whole, as far as it shows before the end."""
    rest = _final(content)
    head_end = _HEAD_END.search(rest)
    status = _STATUS.match(rest)
    if status is None or head_end is None:
        return None
    head, body = rest[: head_end.end()], rest[head_end.end() :]
    if int(status.group(1)) in _NO_BODY:
        return body
    if _CHUNKED.search(head):
        last = _LAST_CHUNK.search(body)
        return None if last is None else body[last.end() :]
    length = _LENGTH.search(head)
    if length is None or len(body) < int(length.group(1)):
        return None
    return body[int(length.group(1)) :]


def _final(content: bytes) -> bytes:
    """From the first response that is not interim (1xx) on."""
    while (status := _STATUS.match(content)) and status.group(1).startswith(b"1"):
        end = _HEAD_END.search(content)
        if end is None:
            return b""
        content = content[end.end() :]
    return content
