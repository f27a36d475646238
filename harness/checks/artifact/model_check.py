"""``artifact.model``: the model is valid ONNX, and takes, gives and needs what manifest and suite say."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from harness.checks.artifact.folder import ArtifactFolder, opened, plain
from harness.checks.artifact.manifest import Manifest, ManifestError, read_manifest
from harness.checks.artifact.onnx_facts import OnnxFacts, Told, differences, told
from harness.checks.artifact.settings import DEFAULT_DOMAIN, ArtifactLimits, ArtifactSettings, OnnxSettings
from harness.checks.interface import CheckContext, Evidence, Stage
from harness.config.suite import Suite
from harness.errors import InfrastructureError
from harness.model import Capability, Family, Finding, Outcome, Utf8Text
from harness.targets.scratch import ScratchFolder

GIB = 1024 * 1024 * 1024
MOST_TOLD = 5
CPU_GRACE_S = 5


class ModelEvidence(Evidence):
    """What was learnt of the model, and what the manifest says of it.

    Attributes:
        problem: Why nothing was learnt.
        timed_out: The checker was still at work when its time was over: that says nothing of the model.
        opset_told: Version of the default operator set, as the manifest has it; None where it is not asked.
        listed: The files that the manifest lists.
    """

    problem: Utf8Text = ""
    timed_out: bool = False
    facts: OnnxFacts | None = None
    opset_asked: bool = False
    opset_told: int | None = None
    inputs: tuple[Told, ...] = ()
    outputs: tuple[Told, ...] = ()
    listed: tuple[Utf8Text, ...] = ()


class ArtifactModel:
    """Copies the artifact's files out of the archive, and has a process of its own look at the model."""

    id: ClassVar[str] = "artifact.model"
    family: ClassVar[Family] = Family.ARTIFACT
    stage: ClassVar[Stage] = Stage.UNSTARTED
    needs: ClassVar[frozenset[Capability]] = frozenset({Capability.CONTAINER})
    evidence: ClassVar[type[ModelEvidence]] = ModelEvidence

    def applies(self, settings: ArtifactSettings) -> bool:
        """Whether the model is an ONNX file."""
        return settings.onnx is not None

    def verify_inputs(self, suite: Suite, settings: ArtifactSettings) -> None:
        """It reads no files of the suite."""

    def collect(self, context: CheckContext, settings: ArtifactSettings) -> ModelEvidence:
        """Copy, and look.

        Raises:
            InfrastructureError: the engine or this machine failed.
        """
        none = ModelEvidence(expected=1, executed=1)
        archive = context.archive(context.candidate_image)
        with (
            opened(archive, settings.folder, largest_mib=settings.largest_mib) as folder,
            ScratchFolder() as copies,
        ):
            try:
                manifest = read_manifest(folder, settings)
            except ManifestError as error:
                return none.model_copy(update={"problem": str(error)})
            model = manifest.text(settings.model)
            if model is None or model not in manifest.listed or model not in folder.files:
                problem = f"the manifest lists no file of the folder at {settings.model}"
                return none.model_copy(update={"problem": problem})
            return none.model_copy(update=_looked_at(folder, manifest, model, settings.onnx, copies))

    def judge(self, evidence: ModelEvidence, limits: ArtifactLimits) -> Sequence[Finding]:
        """The checker first; without facts there is nothing else."""
        if evidence.facts is None:
            outcome = Outcome.INCONCLUSIVE if evidence.timed_out else Outcome.FAIL
            return [_finding("checker", [evidence.problem or "nothing is known of it"], "", outcome)]
        return list(_findings(evidence, evidence.facts, limits))


def _looked_at(
    folder: ArtifactFolder, manifest: Manifest, model: str, onnx: OnnxSettings | None, copies: Path
) -> dict[str, object]:
    settings = onnx or OnnxSettings()
    try:
        folder.copy((name for name in manifest.listed if name in folder.files), copies)
    except OSError as error:
        raise InfrastructureError(f"the artifact could not be copied: {error}") from error
    opset = manifest.at(settings.opset)
    return {
        "opset_asked": settings.opset is not None,
        "opset_told": opset if isinstance(opset, int) else None,
        "inputs": tuple(told(manifest, each) for each in settings.inputs),
        "outputs": tuple(told(manifest, each) for each in settings.outputs),
        "listed": tuple(manifest.listed),
        **_inspected(copies / model, settings.timeout_s),
    }


def _inspected(path: Path, timeout_s: float) -> dict[str, object]:
    """The facts of a model, or why there are none."""
    memory_bytes = 2 * GIB + 6 * path.stat().st_size
    arguments = [str(path.absolute()), str(memory_bytes), str(int(timeout_s) + CPU_GRACE_S)]
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            # Beside the model lie other files of the candidate's: nothing may be imported from there.
            [sys.executable, "-P", "-m", "harness.checks.artifact.onnx_worker", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd="/",
            env=environment,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"problem": f"the ONNX checker was not done after {timeout_s:g} s", "timed_out": True}
    if done.returncode == 0:
        return {"facts": OnnxFacts.model_validate_json(done.stdout)}
    last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or ["no output"]
    ended = f"signal {-done.returncode}" if done.returncode < 0 else f"exit code {done.returncode}"
    return {"problem": f"the ONNX checker ended with {ended} on it: {last[0][:300]}"}


def _findings(evidence: ModelEvidence, facts: OnnxFacts, limits: ArtifactLimits) -> Iterator[Finding]:
    yield _finding("checker", [facts.refused] if facts.refused else [], "the ONNX checker accepts it")
    versions = ", ".join(f"{domain} {version}" for domain, version in facts.opsets)
    yield _finding("opset", list(_opset(evidence, facts, limits)), f"operator sets {versions}")
    used = {*facts.domains, *(domain for domain, _ in facts.opsets)}
    foreign = [f"it uses operators of {domain!r}" for domain in sorted(used - limits.opsets.keys())]
    yield _finding("domains", foreign, "operators of declared sets only")
    if evidence.inputs:
        yield _finding("inputs", differences(evidence.inputs, facts.inputs), "inputs as the manifest says")
    if evidence.outputs:
        yield _finding(
            "outputs", differences(evidence.outputs, facts.outputs), "outputs as the manifest says"
        )
    outside = [
        f"a part of it is in {location!r}, which the manifest does not list"
        for location in facts.external
        if not plain(location) or location not in evidence.listed
    ]
    yield _finding("external", outside, "no part of it lies outside of the listed files")


def _opset(evidence: ModelEvidence, facts: OnnxFacts, limits: ArtifactLimits) -> Iterator[str]:
    if not facts.opsets:
        yield "it names no operator set"
    for domain, version in facts.opsets:
        allowed = limits.opsets.get(domain)
        if allowed is not None and version < allowed.least:
            yield f"{domain} {version} is older than {allowed.least}"
        if allowed is not None and allowed.most is not None and version > allowed.most:
            yield f"{domain} {version} is newer than {allowed.most}"
        if evidence.opset_asked and domain == DEFAULT_DOMAIN and version != evidence.opset_told:
            yield f"{domain} {version}, and the manifest says {evidence.opset_told or 'nothing'}"


def _finding(name: str, wrong: Sequence[str], good: str, bad: Outcome = Outcome.FAIL) -> Finding:
    told_of = "; ".join(wrong[:MOST_TOLD])
    more = f"; and {len(wrong) - MOST_TOLD} more" if wrong[MOST_TOLD:] else ""
    return Finding(
        id=f"artifact.model.{name}",
        outcome=bad if wrong else Outcome.PASS,
        message=told_of + more or good,
        observed=len(wrong),
        limit=0,
        unit="problems",
        samples=1,
    )
