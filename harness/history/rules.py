"""What makes each key of gate.toml looser; a key that is not here is only ever *changed*.

Every limit has its line, or stands in ``EITHER_WAY``: a test holds this against the settings' models.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from harness.checks.artifact.settings import (
    ArtifactLimits,
    ArtifactSettings,
    OnnxSettings,
    OpsetRange,
    TensorPointers,
)
from harness.checks.contract.settings import (
    ContractLimits,
    ContractSettings,
    ManifestSettings,
    ResponsesSettings,
)
from harness.checks.drift.settings import DriftLimits, DriftSettings, PredictionSettings
from harness.checks.fuzz.settings import FuzzLimits, FuzzSettings, RawSettings
from harness.checks.golden.limits import ClassLimits, ErrorLimits, GoldenLimits, OutputLimits, Tolerance
from harness.checks.golden.quality.settings import Ceiling, Floor, QualityLimits
from harness.checks.golden.settings import (
    ConcurrentSettings,
    GoldenSettings,
    LoadedSettings,
    MetadataGolden,
    MetamorphicSettings,
    OutputSettings,
)
from harness.checks.image.settings import ImageLimits, ImageSettings
from harness.checks.latency.limits import (
    CapacityLimits,
    LatencyLimits,
    QuantileLimits,
    SoakLimits,
)
from harness.checks.latency.loads import BurstSettings, SloSettings
from harness.checks.latency.loads import SoakSettings as LatencySoakSettings
from harness.checks.latency.settings import LatencyKeys
from harness.checks.latency.usage_settings import CpuLimits, ManifestPromises, MemoryLimits
from harness.checks.lifecycle.settings import (
    DrainSettings,
    LifecycleLimits,
    LifecycleSettings,
    RefusalSettings,
    RestartSettings,
    SoakSettings,
    StartupSettings,
)
from harness.checks.scenarios.rate_policy import RatePolicy
from harness.checks.scenarios.settings import ScenariosSettings
from harness.checks.telemetry.settings import TelemetryLimits, TelemetrySettings
from harness.config.policy import PolicySettings, Waiver
from harness.config.section import Section
from harness.config.service import GpuSettings, ServiceSettings, VariantSettings
from harness.config.suite import GateConfig
from harness.history.looseness import Looser
from harness.model import Family
from harness.openapi import RULES as CONTRACT_RULES

Rules = Mapping[str, Looser]


def _rules(rule: Looser, names: str) -> dict[str, Looser]:
    return dict.fromkeys(names.split(), rule)


_HIGHER, _LOWER = Looser.HIGHER, Looser.LOWER
_ASKS, _ALLOWS = Looser.ASKS, Looser.ALLOWS

_TABLE: Mapping[type[Section], Rules] = MappingProxyType(
    {
        GateConfig: dict.fromkeys(Family, _ASKS),
        PolicySettings: {"required": _ASKS, "allow_not_applicable": _ALLOWS, "waivers": _ALLOWS},
        Waiver: {"expires": _HIGHER},
        ServiceSettings: {
            **_rules(_HIGHER, "ready_timeout_s memory cpus pids disk"),
            "egress": _ALLOWS,
            "read_only_root": _ASKS,
            "replicas": _LOWER,
        },
        VariantSettings: {"replicas": _LOWER, "ready_timeout_s": _HIGHER},
        GpuSettings: _rules(_HIGHER, "ready_timeout_s memory pids max_cpu_nodes"),
        ImageSettings: {"largest_searched_kib": _LOWER},
        ImageLimits: {
            **_rules(_ASKS, "non_root healthcheck labels"),
            **_rules(_HIGHER, "max_size_mib size_margin"),
            **_rules(_ALLOWS, "setuid public_secrets"),
        },
        ArtifactSettings: _rules(_ASKS, "manifest_schema name version model onnx"),
        OnnxSettings: _rules(_ASKS, "opset inputs outputs"),
        TensorPointers: _rules(_ASKS, "dtype shape"),
        ArtifactLimits: _rules(_ALLOWS, "unlisted opsets"),
        OpsetRange: {"least": _LOWER, "most": _HIGHER},
        LifecycleSettings: _rules(_ASKS, "startup refusals restart drain soak container"),
        StartupSettings: _rules(_LOWER, "starts watch_s"),
        RefusalSettings: _rules(_ASKS, "exit_code log"),
        RestartSettings: {"cases": _LOWER},
        DrainSettings: {**_rules(_LOWER, "clients held load_s"), "wait_s": _HIGHER},
        SoakSettings: _rules(_LOWER, "requests connections"),
        LifecycleLimits: {
            **_rules(_HIGHER, "ready_s startup_margin first_answer_ms refuse_s restart_atol exit_s"),
            **_rules(_HIGHER, "growth_kib ready_ms"),
            **_rules(_ALLOWS, "exit_codes unavailable_held"),
        },
        ContractSettings: {**_rules(_ASKS, "responses manifest"), "timeout_s": _HIGHER},
        ContractLimits: {"severity": Looser.SHARPNESS},
        ResponsesSettings: {
            **_rules(_ASKS, "valid provoke"),
            **_rules(_HIGHER, "timeout_s most_answer_bytes"),
            "unreachable": _ALLOWS,
        },
        ManifestSettings: {**_rules(_ASKS, "batch inputs outputs"), "cases": _LOWER},
        GoldenSettings: {
            **_rules(_ASKS, "batch concurrent loaded metamorphic metadata quality outputs"),
            "ignored": _ALLOWS,
        },
        OutputSettings: {"argmax_of": _ASKS, "nonfinite": _ALLOWS},
        LoadedSettings: {"rate_per_s": _LOWER},
        ConcurrentSettings: _rules(_LOWER, "connections repeats"),
        MetamorphicSettings: {**_rules(_LOWER, "most connections"), "sizes": _ASKS},
        MetadataGolden: {"ignored": _ALLOWS},
        Tolerance: {**_rules(_HIGHER, "atol rtol"), "ulp": Looser.ALLOWANCE},
        ErrorLimits: {**_rules(_HIGHER, "bias p50 p99 max"), "least": _LOWER},
        ClassLimits: {**_rules(_HIGHER, "tie_margin sums_atol"), **_rules(_ASKS, "top_k sums_to")},
        OutputLimits: _rules(_ASKS, "outputs repeats errors classes"),
        GoldenLimits: {"quality": _ASKS},
        QualityLimits: {
            **_rules(_ASKS, "accuracy precision recall auc brier"),
            **_rules(_LOWER, "confidence least"),
        },
        Floor: {"at_least": _LOWER, "margin": _HIGHER},
        Ceiling: _rules(_HIGHER, "at_most margin"),
        FuzzSettings: {
            **_rules(_ASKS, "openapi checks raw"),
            "cases_per_operation": _LOWER,
            "answer_timeout_s": _HIGHER,
        },
        RawSettings: {**_rules(_ASKS, "largest_body_bytes error_schema"), "answer_timeout_s": _HIGHER},
        FuzzLimits: {
            "min_accepted_share": _LOWER,
            **_rules(_HIGHER, "max_answer_ms max_recovery_ms max_memory_growth_mib"),
        },
        ScenariosSettings: {**_rules(_ASKS, "auth rate"), **_rules(_LOWER, "min_auth min_rate")},
        RatePolicy: {
            **_rules(_HIGHER, "limit burst tolerance_s"),
            "window_s": _LOWER,
            **_rules(_ASKS, "algorithm limit_header remaining_header reset_header"),
        },
        TelemetrySettings: {
            **_rules(_LOWER, "cases repeat marked_cases"),
            **_rules(_ASKS, "refused requests inferences duration rejections series"),
            **_rules(_ASKS, "request_id keeps_request_id"),
            "settle_s": _HIGHER,
        },
        TelemetryLimits: _rules(_HIGHER, "new_series bucket_slack_ms"),
        DriftSettings: {**_rules(_ASKS, "traffic predictions slices"), "most_requests": _LOWER},
        PredictionSettings: {"tolerance": _HIGHER},
        DriftLimits: {
            **_rules(_HIGHER, "disagreement psi jensen_shannon slice_disagreement"),
            **_rules(_LOWER, "min_requests confidence"),
            "min_slice": _HIGHER,
        },
        LatencyKeys: {
            **_rules(_LOWER, "rate_per_s"),
            **_rules(_ASKS, "manifest burst slo soak capacity"),
            "timeout_s": _HIGHER,
        },
        ManifestPromises: _rules(_ASKS, "p99_ms memory_mib"),
        BurstSettings: _rules(_LOWER, "size bursts_per_s"),
        SloSettings: {"rate_per_s": _LOWER},
        LatencySoakSettings: _rules(_LOWER, "rate_per_s duration_s"),
        QuantileLimits: _rules(_HIGHER, "slo_ms margin"),
        CpuLimits: _rules(_HIGHER, "margin max_ms"),
        MemoryLimits: _rules(_HIGHER, "max_mib margin"),
        SoakLimits: _rules(_HIGHER, "max_slowdown max_growth_kib"),
        CapacityLimits: {"min_per_s": _LOWER, "margin": _HIGHER},
        LatencyLimits: {
            "quantiles": _ASKS,
            "promises": Looser.SHARPNESS,
            **_rules(_LOWER, "min_throughput confidence"),
            **_rules(_HIGHER, "max_error_rate error_rate_margin max_reference_failures max_warmup_share"),
            **_rules(_HIGHER, "max_set_aside"),
            **_rules(_HIGHER, "max_generator_lag_p99_ms max_generator_hiccup_p99_ms max_cpu_steal"),
            **_rules(_HIGHER, "max_reference_drift"),
        },
    }
)

EITHER_WAY = frozenset(
    {
        (ImageLimits, "max_gpu_size_mib"),  # none keeps max_size_mib
        (LatencyLimits, "devices"),  # more make rejects rarer, and promotes no easier
        (GoldenLimits, "overrides"),  # compared as the limits that they make
        (Tolerance, "source"),
        (ErrorLimits, "source"),
    }
)
"""Limits that have no looser side, or none by themselves."""

_OF_NO_ENTRY: Mapping[tuple[type[Section], str], Callable[[str], Any]] = MappingProxyType(
    {
        (OutputLimits, "outputs"): lambda _output: Tolerance(),
        (OutputLimits, "repeats"): lambda _output: Tolerance(),
        (OutputLimits, "errors"): lambda _output: ErrorLimits(),
        (OutputLimits, "classes"): lambda _output: ClassLimits(),
        (ContractLimits, "severity"): lambda rule: CONTRACT_RULES[rule],
    }
)


def rule_of(section: type[Section], name: str) -> Looser | None:
    """The rule of a key; a model without its own line for it has that of its base."""
    found = (_TABLE[base][name] for base in section.__mro__ if base in _TABLE and name in _TABLE[base])
    return next(found, None)


def without_entry(section: type[Section], name: str) -> Callable[[str], Any] | None:
    """What holds for an entry that a table does not have; None where nothing does."""
    found = (_OF_NO_ENTRY[base, name] for base in section.__mro__ if (base, name) in _OF_NO_ENTRY)
    return next(found, None)
