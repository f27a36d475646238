"""Judges whether the same inputs got the same answers, however they were asked; pure."""

from collections.abc import Sequence

from harness.checks.golden.compare import compare
from harness.checks.golden.evidence import evidence_path
from harness.checks.golden.limits import GoldenLimits
from harness.checks.golden.metamorphic.evidence import MetamorphicEvidence, Relation, Said
from harness.checks.golden.wire import WireError, leaves
from harness.errors import shown
from harness.model import Finding, Outcome

CHECK_ID = "golden.metamorphic"


def judge_metamorphic(evidence: MetamorphicEvidence, limits: GoldenLimits) -> list[Finding]:
    """One finding for the first answers, one for each way of asking again, within ``limits.repeats``."""
    return [_answers(evidence), *(_relation(evidence, relation, limits) for relation in evidence.relations)]


def _answers(evidence: MetamorphicEvidence) -> Finding:
    broken = [(name, problem) for name, said in _named(evidence) if (problem := _problem(said, evidence))]
    asked = f"{len(evidence.inputs)} inputs from {evidence.source}"
    if broken:
        outcome = Outcome.FAIL
        message = f"{len(broken)} of {asked} have no usable answer; {broken[0][0]}: {broken[0][1]}"
    elif len(evidence.first) < len(evidence.inputs) or not evidence.inputs:
        outcome, message = Outcome.INCONCLUSIVE, f"only {len(evidence.first)} of {asked} were asked"
    else:
        outcome, message = Outcome.PASS, f"{asked} have an answer"
    return Finding(
        id=f"{CHECK_ID}.answers",
        outcome=outcome,
        message=message,
        observed=len(broken),
        limit=0,
        unit="inputs without answer",
        samples=len(evidence.first),
        evidence=evidence_path(CHECK_ID),
    )


def _relation(evidence: MetamorphicEvidence, relation: Relation, limits: GoldenLimits) -> Finding:
    pairs = list(zip(evidence.inputs, evidence.first, relation.answers, strict=False))
    comparable = [pair for pair in pairs if not _problem(pair[1], evidence)]
    told = [
        text for name, first, again in comparable if (text := _apart(name, first, again, evidence, limits))
    ]
    if told:
        outcome = Outcome.FAIL
        message = f"{len(told)} of {len(comparable)} inputs are answered otherwise; {told[0]}"
    elif len(comparable) < len(evidence.inputs) or not comparable:
        outcome = Outcome.INCONCLUSIVE
        message = f"only {len(comparable)} of {len(evidence.inputs)} inputs have two answers to compare"
    else:
        outcome, message = Outcome.PASS, f"{len(comparable)} inputs are answered as they were by themselves"
    return Finding(
        id=f"{CHECK_ID}.{relation.name}",
        outcome=outcome,
        message=message,
        observed=len(told),
        limit=0,
        unit="inputs answered otherwise",
        samples=len(comparable),
        evidence=evidence_path(CHECK_ID),
    )


def _named(evidence: MetamorphicEvidence) -> Sequence[tuple[str, Said]]:
    return list(zip(evidence.inputs, evidence.first, strict=False))


def _problem(said: Said, evidence: MetamorphicEvidence) -> str:
    """Why an answer is none to compare with; empty when it is one."""
    if said.problem:
        return said.problem
    for name, output in evidence.outputs.items():
        try:
            leaves(said.outputs[name], output)
        except WireError as error:
            return f"{output.pointer}{error.pointer}: {error}"
    return ""


def _apart(name: str, first: Said, again: Said, evidence: MetamorphicEvidence, limits: GoldenLimits) -> str:
    """Where two answers to one input differ; empty where they do not."""
    if again.problem:
        return f"{name}: {again.problem}"
    for output_name, output in evidence.outputs.items():
        found = compare(
            again.outputs[output_name],
            first.outputs[output_name],
            output,
            limits.repeat_tolerance(output_name),
        )
        if not found.holds:
            place = f"{name} at {output.pointer}{found.pointer}"
            return f"{place}: " + (
                found.problem or f"{shown(found.expected)} by itself, then {shown(found.observed)}"
            )
    return ""
