"""``golden.quality``: how good the model is on labelled cases, by itself and beside the reference."""

from collections.abc import Sequence
from typing import Any, ClassVar

from harness.checks.golden.asking import Answer, ask_all
from harness.checks.golden.limits import GoldenLimits
from harness.checks.golden.payloads import single_requests
from harness.checks.golden.quality.evidence import Answered, Judged, QualityEvidence
from harness.checks.golden.quality.judging import CHECK_ID, judge_quality
from harness.checks.golden.quality.labelled import LabelledCase, as_golden, load_labelled
from harness.checks.golden.quality.settings import QualityLimits, QualitySettings
from harness.checks.golden.settings import GoldenSettings
from harness.checks.golden.wire import json_type
from harness.checks.interface import CheckContext, Stage
from harness.config.suite import Suite
from harness.errors import InfrastructureError, TargetError
from harness.model import Capability, Family, Finding
from harness.pointer import PointerError, resolve
from harness.targets.interface import Endpoint


class GoldenQuality:
    """Asks the labelled cases, of the reference too where there is one."""

    id: ClassVar[str] = CHECK_ID
    family: ClassVar[Family] = Family.GOLDEN
    stage: ClassVar[Stage] = Stage.COMPARED
    needs: ClassVar[frozenset[Capability]] = frozenset()
    evidence: ClassVar[type[QualityEvidence]] = QualityEvidence

    def applies(self, settings: GoldenSettings) -> bool:
        """Whether the suite declares labelled cases."""
        return settings.quality is not None

    def verify_inputs(self, suite: Suite, settings: GoldenSettings) -> None:
        """Read the labelled cases.

        Raises:
            ConfigError: when they are wrong.
        """
        load_labelled(suite, settings, _declared(settings))

    def collect(self, context: CheckContext, settings: GoldenSettings) -> QualityEvidence:
        """Ask every case.

        Raises:
            ConfigError: when the cases are wrong.
            InfrastructureError: when the reference died.
            TargetError: when the candidate died.
        """
        quality = _declared(settings)
        cases = load_labelled(context.suite, settings, quality)
        reference: list[Answered] = []
        if context.reference is not None:
            try:
                reference = _ask(context.reference, context, settings, cases)
            except TargetError as error:
                raise InfrastructureError(f"the reference died: {error}") from error
        candidate = _ask(context.candidate, context, settings, cases)
        judged = tuple(
            Judged(
                id=case.id,
                label=case.label,
                candidate=answered,
                reference=reference[number] if number < len(reference) else None,
            )
            for number, (case, answered) in enumerate(zip(cases, candidate, strict=False))
        )
        return QualityEvidence(
            expected=len(cases),
            executed=len(judged) if context.reference is None else min(len(judged), len(reference)),
            quality=quality,
            seed=context.seed,
            compared=context.reference is not None,
            cases=judged,
        )

    def judge(self, evidence: QualityEvidence, limits: GoldenLimits) -> Sequence[Finding]:
        """See :func:`judge_quality`."""
        return judge_quality(evidence, limits.quality or QualityLimits())


def _declared(settings: GoldenSettings) -> QualitySettings:
    if settings.quality is None:
        raise ValueError("the suite declares no labelled cases")
    return settings.quality


def _ask(
    endpoint: Endpoint, context: CheckContext, settings: GoldenSettings, cases: Sequence[LabelledCase]
) -> list[Answered]:
    questions = single_requests(context.suite, settings, map(as_golden, cases), context.credentials)
    said = []
    for _, _, answer in ask_all(endpoint, questions, settings):
        said.append(read(answer, _declared(settings)))
        context.progress(len(said), len(cases))
    return said


def read(answer: Answer, quality: QualitySettings) -> Answered:
    """The prediction of an answer."""
    if answer.problem:
        return Answered(problem=answer.problem)
    try:
        label: Any = resolve(answer.document, quality.label)
        score: Any = None if quality.score is None else resolve(answer.document, quality.score)
    except PointerError as error:
        return Answered(problem=str(error))
    if not isinstance(label, str | bool | int):
        return Answered(problem=f"{quality.label}: {json_type(label)} instead of a label")
    if quality.score is not None and not _is_probability(score):
        return Answered(problem=f"{quality.score}: no number from 0 to 1")
    return Answered(label=label[:200] if isinstance(label, str) else label, score=score)


def _is_probability(score: Any) -> bool:
    return isinstance(score, int | float) and not isinstance(score, bool) and 0 <= score <= 1
