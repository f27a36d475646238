"""A whole HTTP/1.1 message as bytes, and changes that leave every other byte as it was."""

from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Self

JSON = "application/json"


@dataclass(frozen=True)
class Message:
    """A request or an answer.

    Attributes:
        start_line: With its line end.
        headers: Lines with their ends; one that is folded stays one.
        blank_line: That ends the head.
        body: As it was sent, in chunks where it was.
        content: The same without the chunks.
    """

    start_line: bytes
    headers: tuple[bytes, ...]
    blank_line: bytes = b"\r\n"
    body: bytes = b""
    content: bytes = b""

    @classmethod
    def of(cls, head: bytes, body: bytes = b"", content: bytes = b"") -> Self:
        """From the bytes of a head that is well-formed, blank line and all, and of its body."""
        start_line, *lines, blank_line = head.splitlines(keepends=True)
        headers: list[bytes] = []
        for line in lines:
            if headers and line[:1] in {b" ", b"\t"}:
                headers[-1] += line
            else:
                headers.append(line)
        return cls(start_line, tuple(headers), blank_line, body, content)

    @classmethod
    def answer(cls, status: int, content: bytes, media_type: str = JSON) -> Self:
        """One that no service gave."""
        line = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()
        return cls(line, (f"Content-Type: {media_type}\r\n".encode(),)).with_content(content)

    @property
    def raw(self) -> bytes:
        """Its bytes."""
        return b"".join((self.start_line, *self.headers, self.blank_line, self.body))

    @property
    def method(self) -> str:
        """Of a request."""
        return self.start_line.split(b" ")[0].decode("latin-1")

    @property
    def target(self) -> str:
        """Of a request."""
        return self.start_line.split(b" ")[1].decode("latin-1")

    @property
    def status(self) -> int:
        """Of an answer."""
        return int(self.start_line.split(b" ")[1])

    @property
    def media_type(self) -> str:
        """Lower case, without parameters; empty where it says none."""
        return self.header("content-type").partition(";")[0].strip().lower()

    @property
    def says_json(self) -> bool:
        """Whether its content is JSON that is not compressed, by its headers."""
        json = self.media_type == JSON or self.media_type.endswith("+json")
        return json and not self.header("content-encoding")

    def header(self, name: str) -> str:
        """The first value of a header; empty without one."""
        return next((_value(line) for line in self.headers if name_of(line) == name.lower()), "")

    def lines_of(self, names: frozenset[str]) -> tuple[bytes, ...]:
        """The headers of these names, which are in lower case."""
        return tuple(line for line in self.headers if name_of(line) in names)

    def without(self, *names: str) -> Self:
        """Without headers; itself where it has none of them."""
        unwanted = {name.lower() for name in names}
        kept = tuple(line for line in self.headers if name_of(line) not in unwanted)
        return self if len(kept) == len(self.headers) else replace(self, headers=kept)

    def with_lines(self, lines: tuple[bytes, ...]) -> Self:
        """With further headers."""
        return replace(self, headers=(*self.headers, *lines))

    def with_header(self, name: str, value: str) -> Self:
        """With this header in the place of the first of its name, or as the last."""
        names = [name_of(line) for line in self.headers]
        at = names.index(name.lower()) if name.lower() in names else len(names)
        line = f"{name}: {value}\r\n".encode("latin-1")
        later = tuple(each for each in self.headers[at + 1 :] if name_of(each) != name.lower())
        return replace(self, headers=(*self.headers[:at], line, *later))

    def with_content(self, content: bytes) -> Self:
        """With other content, of known length."""
        framed = self.without("Transfer-Encoding", "Trailer")
        framed = framed.with_header("Content-Length", str(len(content)))
        return replace(framed, body=content, content=content)

    def with_status(self, status: int) -> Self:
        """An answer with another status."""
        version = self.start_line.split(b" ")[0]
        line = b"%s %d %s\r\n" % (version, status, HTTPStatus(status).phrase.encode())
        return replace(self, start_line=line)

    def with_target(self, target: str) -> Self:
        """A request for something else."""
        method, _, version = self.start_line.split(b" ", 2)
        return replace(self, start_line=b" ".join((method, target.encode("latin-1"), version)))


def name_of(line: bytes) -> str:
    """The name of a header, in lower case."""
    return line.partition(b":")[0].decode("latin-1").lower()


def _value(line: bytes) -> str:
    return line.partition(b":")[2].strip().decode("latin-1")
