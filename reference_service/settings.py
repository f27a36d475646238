"""Run-time settings, from environment variables with the prefix `SERVICE_`; and those of OpenTelemetry."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

import limits
from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from reference_service.documents import SemVer, Sha256
from reference_service.location import Location
from reference_service.redis_url import check_public_redis_url


def check_quota(quota: str) -> str:
    """Return the quota if it is one like `100/second` or `5 per 10 seconds`; raise ValueError otherwise."""
    try:
        items = limits.parse_many(quota)
    except ValueError:
        items = []
    if len(items) != 1 or items[0].amount < 1:
        raise ValueError(
            f"{quota!r} is not exactly one quota of at least one request, "
            "such as 100/second or 5 per 10 seconds"
        )
    return quota


def parse_networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Read networks in CIDR notation, separated by commas; raise ValueError for what is none or everyone."""
    networks = []
    for part in text.split(","):
        try:
            network = ip_network(part.strip())
        except ValueError as error:
            raise ValueError(f"{error}; give networks such as 10.0.0.0/8,fd00::/8") from error
        if network.prefixlen == 0:
            raise ValueError(f"{network} trusts everyone, so that every client could choose its address")
        networks.append(network)
    return tuple(networks)


Quota = Annotated[str, AfterValidator(check_quota)]
Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(parse_networks)]


PublicRedisUrl = Annotated[str, AfterValidator(check_public_redis_url)]
DeploymentId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
"""A plain word: it becomes a label of every metric and a field of every log line."""

TRACES_PROTOCOL = "http/protobuf"


class Settings(BaseSettings):
    """What an operator may set; README.md describes each."""

    model_config = SettingsConfigDict(env_prefix="SERVICE_", frozen=True, env_ignore_empty=True)

    host: str = "0.0.0.0"  # noqa: S104  # in a container the published port decides who can reach it
    port: int = Field(default=8000, ge=1, le=65535)
    artifact: Location = Path(__file__).with_name("artifacts")
    artifact_sha256: Sha256 | None = None
    artifact_cache: Path = Path("/tmp/reference-service")  # noqa: S108  # a read-only root may have none
    artifact_max_bytes: int = Field(default=2_147_483_648, ge=1)
    artifact_timeout_s: float = Field(default=120, gt=0)
    model_version: SemVer | None = None
    api_keys_file: Path | None = None
    jwks_file: Path | None = None
    jwt_issuer: str | None = None
    jwt_audience: str | None = None
    jwt_leeway_s: int = Field(default=5, ge=0, le=60)
    tls_cert_file: Path | None = None
    tls_key_file: Path | None = None
    tls_client_ca_file: Path | None = None
    secret_fingerprints_file: Path | None = None
    rate_limit: Quota = "1000/second"
    rate_limit_rows: Quota = "10000/second"
    rate_limit_metadata: Quota = "1000/second"
    rate_limit_address: Quota | None = None
    rate_limit_global: Quota | None = None
    rate_limit_redis_url: PublicRedisUrl | None = None
    rate_limit_redis_url_file: Path | None = None
    rate_limit_redis_timeout_s: float = Field(default=0.5, gt=0, le=10)
    rate_limit_without_redis: Literal["refuse", "local"] = "refuse"
    trusted_proxies: Networks = Field(default=(), validate_default=False)
    max_body_bytes: int = Field(default=1_048_576, ge=1)
    max_connections: int = Field(default=512, ge=1)
    head_timeout_s: float = Field(default=10, gt=0)
    body_timeout_s: float = Field(default=30, gt=0)
    max_batch: int = Field(default=256, ge=1)
    execution_provider: Literal["cpu", "cuda"] = "cpu"
    intra_op_threads: int = Field(default=1, ge=1)
    workers: int = Field(default=1, ge=1)
    max_concurrency: int | None = Field(default=None, ge=1)
    max_queue: int = Field(default=256, ge=0)
    shutdown_timeout_s: int = Field(default=10, ge=0)
    input_hash_key_file: Path | None = None
    deployment_id: DeploymentId = "default"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    otlp_endpoint: str | None = Field(
        default=None,
        validation_alias=AliasChoices("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"),
    )
    otlp_protocol: str = Field(
        default=TRACES_PROTOCOL,
        validation_alias=AliasChoices("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"),
    )

    @model_validator(mode="after")
    def _traces_can_be_exported(self) -> Self:
        """Refuse what would silently export nothing."""
        if self.otlp_endpoint and not urlsplit(self.otlp_endpoint).hostname:
            raise ValueError("OTEL_EXPORTER_OTLP_ENDPOINT is no URL such as http://collector:4318")
        if self.otlp_endpoint and self.otlp_protocol != TRACES_PROTOCOL:
            raise ValueError(
                f"OTEL_EXPORTER_OTLP_PROTOCOL is {self.otlp_protocol!r}: traces are exported by "
                f"{TRACES_PROTOCOL}; leave it out and give the collector's HTTP endpoint, by custom port 4318"
            )
        return self

    @model_validator(mode="after")
    def _store_is_not_trusted(self) -> Self:
        """Fetch nothing whose digest is not known beforehand."""
        if isinstance(self.artifact, str) and not self.artifact_sha256:
            raise ValueError(
                "a URL in SERVICE_ARTIFACT needs SERVICE_ARTIFACT_SHA256, the manifest's SHA-256"
            )
        return self

    @model_validator(mode="after")
    def _jwt_is_whole(self) -> Self:
        """Accept no token whose issuer or audience would go unchecked."""
        if self.jwks_file and not (self.jwt_issuer and self.jwt_audience):
            raise ValueError("SERVICE_JWKS_FILE needs SERVICE_JWT_ISSUER and SERVICE_JWT_AUDIENCE")
        return self

    @model_validator(mode="after")
    def _tls_is_whole(self) -> Self:
        """Never fall back to plain text, or to clients without certificates, because a setting is missing."""
        if bool(self.tls_cert_file) != bool(self.tls_key_file):
            raise ValueError("SERVICE_TLS_CERT_FILE and SERVICE_TLS_KEY_FILE need each other")
        if self.tls_client_ca_file and not self.tls_cert_file:
            raise ValueError(
                "SERVICE_TLS_CLIENT_CA_FILE needs SERVICE_TLS_CERT_FILE and SERVICE_TLS_KEY_FILE"
            )
        return self

    @model_validator(mode="after")
    def _quotas_are_shared(self) -> Self:
        """Let no quota be multiplied by the number of workers unless that is declared."""
        if self.rate_limit_redis_url and self.rate_limit_redis_url_file:
            raise ValueError(
                "SERVICE_RATE_LIMIT_REDIS_URL and SERVICE_RATE_LIMIT_REDIS_URL_FILE are both set: keep one"
            )
        has_redis = self.rate_limit_redis_url or self.rate_limit_redis_url_file
        if self.workers > 1 and not has_redis and self.rate_limit_without_redis != "local":
            raise ValueError(
                f"with SERVICE_WORKERS={self.workers} each worker would count for itself: name a Redis that "
                "they share in SERVICE_RATE_LIMIT_REDIS_URL_FILE, or set "
                "SERVICE_RATE_LIMIT_WITHOUT_REDIS=local, and every quota holds for each worker alone"
            )
        return self
