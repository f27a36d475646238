"""Real inputs with something wrong in them: anywhere in their bytes, or anywhere in their structure."""

import copy
import json

import tomlkit
from hypothesis import strategies as st

SPLICES = (
    b"",
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\r",
    b"\n\n",
    b'"',
    b"'''",
    b"}",
    b"[" * 3000,
    b'{"a":' * 3000,
    b".a" * 3000,
    b"9" * 5000,
    b"0x" + b"f" * 5000,
    b"NaN",
    b"-Infinity",
    b"1e999",
    b'"\\ud800"',
    b"${key.nobody}",
    b"&a [*a, *a]",
    b"<<: *a",
    "\u202e\u2028\x85".encode(),
)
"""What parsers stumble over, put in anywhere."""

DEEP = 150
"""Levels: no more than the writers here bear; the splices have thousands."""


def nested(levels):
    """A list in a list in a list."""
    value = 1
    for _ in range(levels):
        value = [value]
    return value


VALUES = (
    None,
    True,
    0,
    -1,
    10**30,
    10**400,
    1.5,
    -0.0,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "x",
    "x" * 5000,
    "\x00",
    "\ud800",
    "../../../etc/passwd",
    "/dev/null",
    "a" * 300 + "/b",
    "${key.default}",
    "${nobody}",
    "a{9999999999}",
    "(" * 2000,
    "2026-11-22T00:00:00Z",
    [],
    {},
    [[]],
    {"": {}},
    {"a": None, "b": [1, "x"]},
    list(range(100)),
    nested(70),
    nested(DEEP),
)
"""What stands in place of something else."""


@st.composite
def damaged_bytes(draw, whole):
    """``whole`` with one to three things wrong in its bytes."""
    content = whole
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(content)))
        length = draw(st.sampled_from([0, 1, 2, 8, 64, 1024]))
        part = content[at : at + length]
        put = draw(
            st.sampled_from(SPLICES)
            | st.binary(max_size=8)
            | st.sampled_from([part + part, part[::-1], bytes(len(part))])
        )
        content = content[:at] + put + content[at + length :]
        if draw(st.integers(0, 15)) == 0:
            content = content[:at]
    return content


def places(document, at=()):
    """The path of every value of a document."""
    yield at
    children = document.items() if isinstance(document, dict) else ()
    if isinstance(document, list):
        children = enumerate(document[:50])  # the others are alike
    for key, child in children:
        yield from places(child, (*at, key))


@st.composite
def changed_document(draw, document):
    """``document`` with one to three values replaced, left out, renamed, doubled or moved."""
    found = copy.deepcopy(document)
    every = [place for place in places(document) if place]
    for _ in range(draw(st.integers(1, 3))):
        place, other = draw(st.sampled_from(every)), draw(st.sampled_from(every))
        how = draw(st.sampled_from(["put", "put", "put", "drop", "rename", "add", "move"]))
        value = copy.deepcopy(draw(st.sampled_from(VALUES)))
        try:
            _change(found, place, how, value, other)
        except (LookupError, TypeError, AttributeError):
            continue  # an earlier change has taken the place away
    return found


def _at(document, place):
    for key in place:
        document = document[key]
    return document


def _change(document, place, how, value, other):
    holder, last = _at(document, place[:-1]), place[-1]
    if how == "put":
        holder[last] = value
    elif how == "drop":
        del holder[last]
    elif how == "rename":
        holder[f"{last}_"] = holder.pop(last)
    elif how == "add":
        holder["further"] = value
    else:
        holder[last] = copy.deepcopy(_at(document, other))


def as_json(document):
    """As any writer of JSON may write it, NaN and halves of surrogate pairs included."""
    return json.dumps(document).encode()


def as_json_lines(documents):
    """A line each; what is no list is one line."""
    lines = documents if isinstance(documents, list) else [documents]
    return b"".join(as_json(each) + b"\n" for each in lines)


def as_toml(document):
    """As TOML, if it can be written so; what cannot is left out."""
    return tomlkit.dumps(_of_toml(document)).encode("utf-8", "replace")


def _of_toml(value):
    if isinstance(value, dict):
        return {str(key): _of_toml(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_of_toml(each) for each in value if each is not None]
    return value
