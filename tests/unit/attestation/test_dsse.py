"""The envelope: the protocol's own test vector, and no byte of it that may be changed."""

import json
from base64 import b64decode, urlsafe_b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from harness.attestation.dsse import Envelope, pae, seal, verify
from harness.attestation.keys import has_signed, key_id

# DSSE 1.0.2, protocol.md, "Test Vectors".
VECTOR_TYPE, VECTOR_PAYLOAD = "http://example.com/HelloWorld", b"hello world"
VECTOR_X = 46950820868899156662930047687818585632848591499744589407958293238635476079160
VECTOR_Y = 5640078356564379163099075877009565129882514886557779369047442380624545832820
VECTOR_SIG = "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=="

KEYS = {
    "ed25519": ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32))),
    "p256": ec.derive_private_key(2026, ec.SECP256R1()),
}
OTHER = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()
TYPE = "application/vnd.in-toto+json"


@pytest.fixture(params=list(KEYS))
def key(request):
    return KEYS[request.param]


def opened(text, *keys):
    return verify(Envelope.model_validate(json.loads(text)), keys)


def test_the_vector_s_encoding():
    assert pae(VECTOR_TYPE, VECTOR_PAYLOAD) == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_the_vector_s_signature():
    key = ec.EllipticCurvePublicNumbers(VECTOR_X, VECTOR_Y, ec.SECP256R1()).public_key()
    raw = b64decode(VECTOR_SIG)  # r and s side by side there, DER here
    der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    assert has_signed(key, der, pae(VECTOR_TYPE, VECTOR_PAYLOAD))
    assert not has_signed(key, der, pae(VECTOR_TYPE, b"hello World"))
    assert not has_signed(key, raw, pae(VECTOR_TYPE, VECTOR_PAYLOAD))


def test_lengths_are_of_bytes():
    assert pae("ü", b"\x00") == b"DSSEv1 2 \xc3\xbc 1 \x00"


@given(st.tuples(st.text(), st.binary()), st.tuples(st.text(), st.binary()))
@example(("a 1 b", b"c"), ("a", b"b 1 c"))
def test_no_two_messages_have_one_encoding(one, other):
    try:
        assert (pae(*one) == pae(*other)) == (one == other)
    except UnicodeEncodeError:
        assert any("\ud800" <= char <= "\udfff" for char in one[0] + other[0])


@given(payload=st.binary(max_size=200), name=st.sampled_from(list(KEYS)))
def test_what_was_sealed_is_what_is_opened(payload, name):
    key = KEYS[name]
    text = seal(payload, TYPE, key)
    assert text.endswith("\n")
    verified = opened(text, OTHER, key.public_key())
    assert verified is not None
    assert (verified.payload, verified.payload_type) == (payload, TYPE)
    assert verified.key_id == key_id(key.public_key())
    assert opened(text, OTHER) is None
    assert opened(text) is None


def accepted(data, key):
    """What is verified of changed bytes, None where they are refused."""
    try:
        envelope = Envelope.model_validate(json.loads(data))
    except (ValueError, ValidationError, RecursionError):
        return None
    return verify(envelope, [key.public_key()])


def test_every_flipped_bit_of_every_value_is_refused(key):
    text = seal(b'{"result": "PASSED"}', TYPE, key)
    document = json.loads(text)
    signature = document["signatures"][0]
    values = [document["payload"], document["payloadType"], signature["keyid"], signature["sig"]]
    for value in values:
        at = text.index(f'"{value}"') + 1
        for position in range(at, at + len(value)):
            for bit in range(8):
                data = bytearray(text.encode())
                data[position] ^= 1 << bit
                assert accepted(bytes(data), key) is None, (position, bit, bytes(data))


# Once: an ECDSA signature is another one each time, and not always as long.
SEALED = {name: seal(b'{"result": "PASSED"}', TYPE, key).encode() for name, key in KEYS.items()}


@given(name=st.sampled_from(list(KEYS)), data=st.data())
def test_any_changed_byte_is_refused_or_changes_nothing_that_is_signed(name, data):
    text = SEALED[name]
    position = data.draw(st.integers(0, len(text) - 1))
    changed = text[:position] + bytes([data.draw(st.integers(0, 255))]) + text[position + 1 :]
    verified = accepted(changed, KEYS[name])
    assert verified is None or (verified.payload, verified.payload_type) == (b'{"result": "PASSED"}', TYPE)


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_no_bytes_are_more_than_refused(data):
    assert accepted(data, KEYS["ed25519"]) is None


def document(key, **changes):
    return {**json.loads(seal(b"p", TYPE, key)), **changes}


def test_both_alphabets_of_base64_are_read(key):
    payload = bytes([0xFB, 0xFF, 0xBF])
    text = seal(payload, TYPE, key)
    url_safe = text.replace(json.loads(text)["payload"], urlsafe_b64encode(payload).decode())
    assert url_safe != text
    assert opened(url_safe, key.public_key()).payload == payload


@pytest.mark.parametrize("payload", ["cA", "cB==", "cA==\n", " cA==", "cA==cA==", "c", 1, None, ["cA=="]])
def test_base64_that_no_encoder_writes_is_none(key, payload):
    with pytest.raises(ValidationError):
        Envelope.model_validate(document(key, payload=payload))


def test_unknown_keys_are_ignored_and_a_missing_keyid_too(key):
    plain = document(key, more=1)
    assert opened(json.dumps(plain), key.public_key())
    for keyid in ("", None):
        plain["signatures"][0]["keyid"] = keyid
        assert opened(json.dumps(plain), key.public_key())
    del plain["signatures"][0]["keyid"]
    assert opened(json.dumps(plain), key.public_key())


def test_a_signature_that_names_another_key_is_not_tried(key):
    plain = document(key)
    plain["signatures"][0]["keyid"] = key_id(OTHER)
    assert opened(json.dumps(plain), key.public_key(), OTHER) is None


def test_one_good_signature_of_several_is_enough(key):
    plain = document(key)
    other = json.loads(seal(b"p", TYPE, KEYS["ed25519"]))["signatures"][0]
    plain["signatures"] = [{"keyid": "", "sig": ""}, other, *plain["signatures"]]
    assert opened(json.dumps(plain), key.public_key()).key_id == key_id(key.public_key())


def test_no_signature_is_no_signature(key):
    assert opened(json.dumps(document(key, signatures=[])), key.public_key()) is None


@pytest.mark.parametrize("missing", ["payload", "payloadType", "signatures"])
def test_every_required_key_is_required(key, missing):
    plain = document(key)
    del plain[missing]
    with pytest.raises(ValidationError):
        Envelope.model_validate(plain)
