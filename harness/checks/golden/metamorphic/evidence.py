"""The answers to the same inputs, asked in several ways."""

from typing import Any

from harness.checks.golden.settings import OutputSettings
from harness.checks.interface import Evidence
from harness.model import Model, Utf8Text


class Said(Model):
    """One answer.

    Attributes:
        outputs: The raw JSON of each declared output.
        problem: Why they are not all there; empty when they are.
    """

    outputs: dict[str, Any] = {}
    problem: Utf8Text = ""


class Relation(Model):
    """The answers of one way of asking.

    Attributes:
        name: ``repeat``, ``batch_7``, ``permuted`` or ``concurrent``.
        answers: In the order of the inputs; shorter where the budget ended first.
    """

    name: str
    answers: tuple[Said, ...]


class MetamorphicEvidence(Evidence):
    """Evidence of ``golden.metamorphic``.

    Attributes:
        source: Where the inputs come from.
        inputs: Their names.
        outputs: The declarations that the answers were read by.
        first: The answers to each input by itself, which the others are held against.
    """

    source: str
    inputs: tuple[str, ...]
    outputs: dict[str, OutputSettings]
    first: tuple[Said, ...]
    relations: tuple[Relation, ...]
