"""All checks there are, in the order a run makes them within a stage. A new check is one line here."""

from harness.checks.artifact.manifest_check import ArtifactManifest
from harness.checks.artifact.model_check import ArtifactModel
from harness.checks.artifact.version_check import ArtifactVersion
from harness.checks.contract.manifest import ContractManifest
from harness.checks.contract.openapi_check import ContractOpenAPI
from harness.checks.contract.responses import ContractResponses
from harness.checks.drift.predictions import DriftPredictions
from harness.checks.fuzz.raw import RawFuzz
from harness.checks.fuzz.replay import ReplayFuzz
from harness.checks.fuzz.schema import SchemaFuzz
from harness.checks.golden.batch import GoldenBatch
from harness.checks.golden.concurrent import GoldenConcurrent
from harness.checks.golden.loaded import GoldenLoaded
from harness.checks.golden.metadata import GoldenMetadata
from harness.checks.golden.metamorphic.check import GoldenMetamorphic
from harness.checks.golden.quality.check import GoldenQuality
from harness.checks.golden.single import GoldenSingle
from harness.checks.image.config import ImageConfig
from harness.checks.image.labels import ImageLabels
from harness.checks.interface import AnyCheck
from harness.checks.latency.burst import LatencyBurst
from harness.checks.latency.capacity import LatencyCapacity
from harness.checks.latency.check import LatencyPaired
from harness.checks.latency.slo import LatencySlo
from harness.checks.latency.soak import LatencySoak
from harness.checks.lifecycle.container import LifecycleContainer
from harness.checks.lifecycle.drain import LifecycleDrain
from harness.checks.lifecycle.refusal import LifecycleRefusal
from harness.checks.lifecycle.restart import LifecycleRestart
from harness.checks.lifecycle.soak import LifecycleSoak
from harness.checks.lifecycle.startup import LifecycleStartup
from harness.checks.scenarios.check import AuthScenarios, RateScenarios
from harness.checks.telemetry.metrics import TelemetryMetrics
from harness.checks.telemetry.series import TelemetrySeries

CHECKS: tuple[AnyCheck, ...] = (
    ImageConfig(),
    ImageLabels(),
    ArtifactManifest(),
    ArtifactModel(),
    ArtifactVersion(),
    ContractOpenAPI(),
    ContractManifest(),
    GoldenSingle(),
    GoldenBatch(),
    GoldenConcurrent(),
    GoldenMetadata(),
    GoldenLoaded(),
    GoldenMetamorphic(),
    ContractResponses(),
    LifecycleContainer(),
    LifecycleStartup(),
    LifecycleRefusal(),
    LifecycleRestart(),
    LifecycleDrain(),
    LifecycleSoak(),
    SchemaFuzz(),
    RawFuzz(),
    AuthScenarios(),
    RateScenarios(),
    TelemetryMetrics(),
    TelemetrySeries(),
    GoldenQuality(),
    DriftPredictions(),
    LatencyPaired(),
    LatencyBurst(),
    LatencyCapacity(),
    LatencySlo(),
    LatencySoak(),
)

STORED: tuple[AnyCheck, ...] = (*CHECKS, ReplayFuzz())
"""All whose evidence a stored run may hold: a replay is made in place of a run's checks, never among them."""
