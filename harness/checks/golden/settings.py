"""``[golden]``: how cases are asked, where outputs lie in the answers, how far they may be off."""

import json
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from harness.checks.golden.limits import ClassLimits, GoldenLimits, OutputLimits, Tolerance
from harness.checks.golden.quality.settings import QualitySettings
from harness.config.section import FamilySettings, Section
from harness.config.service import Pointer
from harness.http_request import RequestTemplate
from harness.template import PLACEHOLDER

OTHER_FINDINGS = frozenset({"answers", "items", "load", "members", "own", "repeats"})
"""What the checks find besides one thing of each output."""

OF_AN_OUTPUT = ("argmax", "bias", "max", "p50", "p99", "sum", "top_k")
"""What they find of an output besides its values."""

Dtype = Literal[
    "string", "bool",
    "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "bfloat16", "float32", "float64",
]  # fmt: skip
FLOATS = frozenset({"float16", "bfloat16", "float32", "float64"})


class OutputSettings(Section):
    """One output of the model as it lies in an answer.

    Attributes:
        pointer: Into the answer to a single request, or into one item of a batch answer.
        dtype: Declared element type; over JSON it is checked by token and range.
        keys: For an object of values: exactly these names, each with an array of ``shape``.
        shape: For an array: exactly this shape, ``[]`` for a scalar.
        nonfinite: How floats that are no number are written: as the strings ``NaN``, ``Infinity`` and
            ``-Infinity``, or all as null; None allows none.
        argmax_of: The output of scores whose best class this one names: by key, or by index from 0.
    """

    pointer: Pointer
    dtype: Dtype
    keys: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    shape: tuple[Annotated[int, Field(ge=1)], ...] = ()
    nonfinite: Literal["strings", "null"] | None = None
    argmax_of: str | None = None

    @model_validator(mode="after")
    def _only_floats_are_nonfinite(self) -> Self:
        if self.nonfinite is not None and self.dtype not in FLOATS:
            raise ValueError(f"nonfinite is declared, but a {self.dtype} is always finite")
        return self

    @property
    def scores_classes(self) -> bool:
        """Whether there is one number for each of two classes or more."""
        several = len(self.shape) == 1 if self.keys is None else not self.shape
        return several and self.dtype not in ("string", "bool")

    @property
    def names_a_class(self) -> bool:
        """Whether it is one name or one index."""
        return self.keys is None and not self.shape and self.dtype not in {"bool", *FLOATS}


class BatchTemplate(RequestTemplate):
    """A request for several cases: ``${inputs}`` is the array of their inputs.

    Attributes:
        size: Cases to a request.
        items: Pointer to the array of results, in the order of the inputs.
    """

    size: Annotated[int, Field(ge=2)] = 64
    items: Pointer


class ConcurrentSettings(Section):
    """``[golden.concurrent]``.

    Attributes:
        connections: Requests at a time.
        repeats: How often each case is asked.
    """

    connections: Annotated[int, Field(ge=2, le=64)] = 16
    repeats: Annotated[int, Field(ge=2, le=100)] = 2


class LoadedSettings(Section):
    """``[golden.loaded]``: the load that goes on beside the cases.

    Attributes:
        rate_per_s: Requests that arrive a second, whatever the answers take.
    """

    rate_per_s: Annotated[float, Field(gt=0, le=10_000)] = 200.0


class MetamorphicSettings(Section):
    """``[golden.metamorphic]``: inputs whose answers have to be the same however they are asked.

    Attributes:
        file: JSON lines, relative to gate.toml; None takes the inputs of the golden cases.
        pointer: To the input in each line.
        most: Of more inputs a seeded sample is asked.
        sizes: Of the batches.
        connections: Requests at a time, where they are asked many at once.
    """

    file: str | None = None
    pointer: Pointer = ""
    most: Annotated[int, Field(ge=2, le=10_000)] = 64
    sizes: Annotated[tuple[Annotated[int, Field(ge=2)], ...], Field(min_length=1)] = (2, 7, 32)
    connections: Annotated[int, Field(ge=2, le=64)] = 16

    @model_validator(mode="after")
    def _distinct_sizes(self) -> Self:
        if len(set(self.sizes)) != len(self.sizes):
            raise ValueError("sizes names one twice")
        return self


class MetadataGolden(RequestTemplate):
    """``[golden.metadata]``: how to get the document that describes the model, and the recorded one.

    Attributes:
        file: Of the recorded document, in the folder of the golden set.
        ignored: Pointers to what may differ from release to release.
    """

    method: str = "GET"
    file: str = "metadata.json"
    ignored: tuple[Pointer, ...] = ()


class GoldenSettings(FamilySettings):
    """``[golden]``.

    Attributes:
        path: Folder with golden.toml, relative to gate.toml.
        single: One case a request; ``${input}`` is the case's input.
        concurrent: Ask every case several times, many at once.
        loaded: Ask every case beside a load.
        metamorphic: Ask inputs in several ways.
        metadata: The recorded description of the model.
        quality: Labelled cases, and where predictions lie.
        outputs: What the cases' ``expected`` names.
        ignored: Pointers to what an answer, or an item of a batch, may hold besides the outputs; more fails.
            None does not look.
        connections: Requests at a time, each on a connection that is kept alive.
        timeout_s: For one request, from connecting to the last byte of the answer.
        most_answer_bytes: A longer answer is cut off and fails its cases.
        budget_s: For all requests of a check; cases left over make it inconclusive.
    """

    path: str
    single: RequestTemplate
    batch: BatchTemplate | None = None
    concurrent: ConcurrentSettings | None = None
    loaded: LoadedSettings | None = None
    metamorphic: MetamorphicSettings | None = None
    metadata: MetadataGolden | None = None
    quality: QualitySettings | None = None
    outputs: Annotated[dict[str, OutputSettings], Field(min_length=1)]
    ignored: tuple[Pointer, ...] | None = None
    connections: Annotated[int, Field(ge=1, le=64)] = 4
    timeout_s: Annotated[float, Field(gt=0)] = 30.0
    most_answer_bytes: Annotated[int, Field(ge=1024)] = 4 * 1024 * 1024
    budget_s: Annotated[float, Field(gt=0, le=3600)] = 120.0
    limits: GoldenLimits = GoldenLimits()

    @field_validator("outputs")
    @classmethod
    def _findings_of_their_own(cls, outputs: dict[str, OutputSettings]) -> dict[str, OutputSettings]:
        if taken := sorted(OTHER_FINDINGS & set(outputs)):
            raise ValueError(f"an output cannot be named {taken[0]!r}: it is the name of another finding")
        for name in outputs:
            of, _, finding = name.rpartition(".")
            if of in outputs and finding in OF_AN_OUTPUT:
                raise ValueError(f"an output cannot be named {name!r}: it is the name of a finding of {of!r}")
        return outputs

    @model_validator(mode="after")
    def _labels_name_scores(self) -> Self:
        for name, output in self.outputs.items():
            if output.argmax_of is None:
                continue
            scores = self.outputs.get(output.argmax_of)
            if scores is None or not scores.scores_classes:
                raise ValueError(
                    f"outputs.{name}.argmax_of is {output.argmax_of!r}: no output of one number a class"
                )
            if not output.names_a_class or (output.dtype == "string") != (scores.keys is not None):
                raise ValueError(
                    f"outputs.{name} cannot be the argmax of {output.argmax_of!r}: that takes one string "
                    "where the scores have keys, and one integer where they have a shape"
                )
        return self

    @model_validator(mode="after")
    def _limits_name_outputs(self) -> Self:
        _require_limits_of(self.outputs, self.limits, "limits")
        for number, override in enumerate(self.limits.overrides):
            _require_limits_of(self.outputs, override, f"limits.overrides.{number}")
        return self

    @model_validator(mode="after")
    def _quality_is_declared_whole(self) -> Self:
        limits = self.limits.quality
        if (self.quality is None) != (limits is None):
            raise ValueError("[golden.quality] and [golden.limits.quality] need each other")
        if self.quality is not None and limits is not None:
            self.quality.require(limits)
        return self

    @model_validator(mode="after")
    def _bodies_carry_the_cases(self) -> Self:
        # A body without its placeholder would ask every case the same question.
        _require_only(self.single, "input", "single")
        if self.batch is not None:
            _require_only(self.batch, "inputs", "batch")
        return self

    def not_declared(self) -> tuple[str, ...]:
        """Aspects of the answers that nothing is said of."""
        aspects = {
            "golden.metamorphic: batches": self.metamorphic is None or self.batch is not None,
            "golden: what an answer may hold besides the outputs (ignored)": self.ignored is not None,
            "golden: how errors are distributed (limits.errors)": bool(self.limits.errors),
            "golden: agreement of classes (argmax_of, limits.classes)": bool(
                self.limits.classes or any(output.argmax_of for output in self.outputs.values())
            ),
        }
        return tuple(aspect for aspect, declared in aspects.items() if not declared)


def _require_limits_of(outputs: Mapping[str, OutputSettings], limits: OutputLimits, key: str) -> None:
    """Limits are of outputs that there are, and that they can be of."""
    for table in OutputLimits.model_fields:
        for name, limit in getattr(limits, table).items():
            where = f"{key}.{table}"
            if name not in outputs:
                raise ValueError(f"{where} names {[name]}, outputs has {sorted(outputs)}")
            output = outputs[name]
            if output.dtype in ("string", "bool"):
                raise ValueError(f"{where} gives {[name]} a tolerance, but they are not numbers")
            if isinstance(limit, Tolerance) and limit.ulp is not None and output.dtype not in FLOATS:
                raise ValueError(f"{where}.{name}.ulp is given, but a {output.dtype} has no last place")
            if isinstance(limit, ClassLimits):
                _require_classes(output, limit, f"{where}.{name}")


def _require_classes(output: OutputSettings, limit: ClassLimits, key: str) -> None:
    if not output.scores_classes:
        raise ValueError(f"{key} needs an output of one number a class: keys, or a shape of one dimension")
    classes = len(output.keys) if output.keys is not None else output.shape[0]
    if limit.top_k is not None and limit.top_k >= classes:
        raise ValueError(f"{key}.top_k is {limit.top_k}, and there are {classes} classes: give fewer")


def _require_only(template: RequestTemplate, placeholder: str, key: str) -> None:
    named = set(PLACEHOLDER.findall(json.dumps(template.body)))
    if named != {placeholder}:
        raise ValueError(
            f"{key}.body has the placeholders {sorted(named)}, it needs ${{{placeholder}}} and no other"
        )
