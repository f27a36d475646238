"""OpenTelemetry traces over OTLP/HTTP. Imported only where an endpoint is set: it takes time and memory.

Endpoint, headers, certificates, timeouts, sampling and batches are set by the variables of OpenTelemetry's
specification, which the SDK reads itself. A span holds no feature, key or token, and no query.
"""

import threading
import time
from collections.abc import Mapping

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, format_trace_id, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from reference_service import __version__
from reference_service.telemetry.metrics import METHODS
from reference_service.telemetry.record import record_of

CLOSE_TIMEOUT_S = 3.0
FIRST_SERVER_ERROR = 500
OTHER_METHOD = "_OTHER"
PROPAGATOR = TraceContextTextMapPropagator()


class Tracing:
    """Makes spans and exports them from a thread. While the endpoint is down they are dropped.

    Args:
        about: What every span is about: model, versions, deployment.
    """

    def __init__(self, about: Mapping[str, str]) -> None:
        resource = Resource.create(
            {"service.name": "reference-service", "service.version": __version__} | dict(about)
        )
        # What the operator's variables say comes last, so that it holds.
        self._provider = TracerProvider(
            resource=resource.merge(OTELResourceDetector().detect()), shutdown_on_exit=False
        )
        self._exporter = OTLPSpanExporter()
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("reference_service", __version__)

    def traced(self, app: ASGIApp, *, routes: frozenset[str], untraced: frozenset[str]) -> "TraceRequests":
        """Wrap an application."""
        return TraceRequests(app, tracer=self._tracer, routes=routes, untraced=untraced)

    def close(self) -> None:
        """Export what waits; give up after `CLOSE_TIMEOUT_S`, for the service must end."""
        flushing = threading.Thread(target=self._provider.shutdown, name="trace-flush", daemon=True)
        flushing.start()
        flushing.join(CLOSE_TIMEOUT_S)
        if flushing.is_alive():
            self._exporter.shutdown()  # type: ignore[no-untyped-call]


class TraceRequests:
    """Gives each request a server span, in the trace of its `traceparent`, and a child for its inference.

    Args:
        app: The application, whose `RequestContext` leaves a record in the scope.
        tracer: Makes the spans.
        routes: The paths that are traced and become a route; unknown ones are traced without a route.
        untraced: Paths without spans: probes and scrapes.
    """

    def __init__(
        self, app: ASGIApp, *, tracer: Tracer, routes: frozenset[str], untraced: frozenset[str]
    ) -> None:
        self.app = app
        self._tracer = tracer
        self._routes = routes
        self._untraced = untraced

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["path"] in self._untraced:
            await self.app(scope, receive, send)
            return
        # Spans are written from the record afterwards: nothing that answers a request knows of them.
        clocks_apart_ns = time.time_ns() - time.perf_counter_ns()
        span = self._start(scope)
        scope["trace_id"] = format_trace_id(span.get_span_context().trace_id)
        try:
            await self.app(scope, receive, send)
        finally:
            if span.is_recording():
                self._describe(span, scope, clocks_apart_ns)
            span.end()

    def _start(self, scope: Scope) -> Span:
        headers = Headers(scope=scope)
        given = {name: headers[name] for name in ("traceparent", "tracestate") if name in headers}
        path = scope["path"]
        method = scope["method"] if scope["method"] in METHODS else OTHER_METHOD
        attributes = {
            "http.request.method": method,
            "url.scheme": scope["scheme"],
            "url.path": path,
            "network.protocol.version": scope["http_version"],
        }
        if path in self._routes:
            attributes["http.route"] = path
        name = "HTTP" if method == OTHER_METHOD else method
        return self._tracer.start_span(
            f"{name} {path}" if path in self._routes else name,
            context=PROPAGATOR.extract(given),
            kind=SpanKind.SERVER,
            attributes=attributes,
        )

    def _describe(self, span: Span, scope: Scope, clocks_apart_ns: int) -> None:
        """Add what is known now that the request is answered."""
        record = record_of(scope)
        span.set_attribute("http.response.status_code", record.status)
        span.set_attribute("request.id", scope["request_id"])
        if record.error_code:
            span.set_attribute("error.type", record.error_code)
        if record.status >= FIRST_SERVER_ERROR:
            span.set_status(StatusCode.ERROR)
        if record.inference_started is not None:
            started_ns = clocks_apart_ns + int(record.inference_started * 1e9)
            inference = self._tracer.start_span(
                "inference",
                context=set_span_in_context(span),
                attributes={"inference.rows": record.rows or 0, "inference.queue_ms": record.queue_s * 1000},
                start_time=started_ns,
            )
            inference.end(started_ns + int(record.inference_s * 1e9))
