"""The model says, in the bytes of its file, that it needs operators that are newer than 21."""

from probing import given, prove_of_image

OPSET_IMPORT, DOMAIN, VERSION = 8, 1, 2
VARINT, LENGTH = 0, 2
NEWEST = 21


def number(content, at):
    """A variable-length number of the protocol buffer encoding, and where it ends."""
    value = shift = 0
    while True:
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(content):
    """The numbered fields of a message of numbers and of byte strings, as ONNX models are."""
    at = 0
    while at < len(content):
        key, at = number(content, at)
        if key & 7 not in {VARINT, LENGTH}:
            raise ValueError(f"wire type {key & 7} at byte {at}")
        value, at = number(content, at)
        if key & 7 == LENGTH:
            value, at = content[at : at + value], at + value
        yield key >> 3, value


def shows(image):
    """By the version of the default operator set, whose domain has no name."""
    files = image.artifact()
    imports = [dict(fields(value)) for key, value in fields(files["model.onnx"]) if key == OPSET_IMPORT]
    return any(not each.get(DOMAIN) and each[VERSION] > NEWEST for each in imports)


prove_of_image(given(), shows, f"the model needs operators that are newer than {NEWEST}")
