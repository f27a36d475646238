"""The table of rules: every rule id with its severity.

A request may only be widened (what clients send today is still taken) and a response may only be
narrowed (what clients can read today is all that comes), so one table serves all schema keywords.
A new error status is a warning: clients must cope with one, but had not been told of this one. Another
default is an error in a request: what clients left out, and so the same request, means something else.
"""

from collections.abc import Mapping
from types import MappingProxyType

from harness.openapi.model import Change, Direction, Severity

_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

_ASPECTS = ("type", "format", "enum", "range", "length", "pattern", "items", "constraint")
# Of these each value or end is reported by itself, so that none changes but by narrowing and widening.
_ENDS = ("enum", "length", "items")
_VARIANCE = {
    Direction.REQUEST: {"narrowed": _ERROR, "widened": _INFO, "changed": _ERROR},
    Direction.RESPONSE: {"narrowed": _INFO, "widened": _ERROR, "changed": _ERROR},
}

_SECURITY = {
    "security-requirement-removed": _ERROR,
    "security-requirement-loosened": _ERROR,
    "security-requirement-added": _ERROR,
    "security-requirement-tightened": _ERROR,
    "security-scheme-changed": _ERROR,
    "security-scheme-undefined": _ERROR,
    "security-scheme-removed": _WARNING,
    "security-scheme-added": _INFO,
}

_DOCUMENT = {
    "openapi-version-changed": _INFO,
    "servers-changed": _WARNING,
    "webhooks-changed": _WARNING,
    "path-removed": _ERROR,
    "path-added": _INFO,
    "path-parameter-renamed": _INFO,
    "operation-removed": _ERROR,
    "operation-added": _INFO,
    "operation-deprecated": _INFO,
    "operation-id-changed": _INFO,
    "callbacks-changed": _WARNING,
}

_REQUEST = {
    "request-parameter-removed": _WARNING,
    "request-parameter-added": _INFO,
    "request-required-parameter-added": _ERROR,
    "request-parameter-became-required": _ERROR,
    "request-parameter-became-optional": _INFO,
    "request-parameter-serialization-changed": _ERROR,
    "request-body-removed": _ERROR,
    "request-body-added": _INFO,
    "request-required-body-added": _ERROR,
    "request-body-became-required": _ERROR,
    "request-body-became-optional": _INFO,
    "request-media-type-removed": _ERROR,
    "request-media-type-added": _INFO,
    "request-encoding-changed": _WARNING,
    "request-property-removed": _WARNING,
    "request-property-forbidden": _ERROR,
    "request-property-added": _INFO,
    "request-required-property-added": _ERROR,
    "request-property-became-required": _ERROR,
    "request-property-became-optional": _INFO,
    "request-additional-properties-forbidden": _ERROR,
    "request-additional-properties-allowed": _INFO,
    "request-nullable-removed": _ERROR,
    "request-nullable-added": _INFO,
    "request-alternative-removed": _ERROR,
    "request-alternative-added": _INFO,
    "request-discriminator-changed": _ERROR,
    "request-default-added": _WARNING,
    "request-default-removed": _WARNING,
    "request-default-changed": _ERROR,
}

_RESPONSE = {
    "response-status-removed": _ERROR,
    "response-status-added": _INFO,
    "response-error-status-added": _WARNING,
    "response-media-type-removed": _ERROR,
    "response-media-type-added": _INFO,
    "response-header-removed": _ERROR,
    "response-header-added": _INFO,
    "response-header-became-optional": _ERROR,
    "response-header-became-required": _INFO,
    "response-property-removed": _ERROR,
    "response-optional-property-removed": _WARNING,
    "response-property-added": _INFO,
    "response-property-became-optional": _ERROR,
    "response-property-became-required": _INFO,
    "response-additional-properties-forbidden": _INFO,
    "response-additional-properties-allowed": _INFO,
    "response-nullable-added": _ERROR,
    "response-nullable-removed": _INFO,
    "response-alternative-added": _ERROR,
    "response-alternative-removed": _INFO,
    "response-discriminator-changed": _ERROR,
    "response-default-added": _WARNING,
    "response-default-removed": _WARNING,
    "response-default-changed": _WARNING,
}

RULES: Mapping[str, Severity] = MappingProxyType(
    _SECURITY
    | _DOCUMENT
    | _REQUEST
    | _RESPONSE
    | {
        f"{direction}-{aspect}-{effect}": severity
        for direction, effects in _VARIANCE.items()
        for aspect in _ASPECTS
        for effect, severity in effects.items()
        if not (effect == "changed" and aspect in _ENDS)
    }
)


def change(rule: str, pointer: str, message: str, *, old: object = None, new: object = None) -> Change:
    """Build the change that a rule reports, not yet assigned to an operation."""
    prefix = rule.partition("-")[0]
    direction = Direction(prefix) if prefix in tuple(Direction) else Direction.NONE
    return Change(
        rule=rule,
        severity=RULES[rule],
        direction=direction,
        pointer=pointer,
        operation="",
        message=message,
        old=old,
        new=new,
    )
