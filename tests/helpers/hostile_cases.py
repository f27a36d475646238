"""Every hostile candidate that is gated, by the name that its line of the table in docs/security.md has."""

WAYS = (
    *("hangs", "trickles", "ten_gigabytes", "gzip_bomb", "endless_chunks", "endless_trailers"),
    *("endless_headers", "endless_interim", "redirects_in_circles", "redirects_elsewhere", "invalid_http"),
    *("lies_of_its_length", "closes_at_random", "many_lists", "deep_lists"),
)
UNREADY = (
    *("hangs", "trickles", "endless_headers", "endless_interim", "redirects_in_circles"),
    *("redirects_elsewhere", "invalid_http"),
)
UNKNOWN = (
    *("trickles", "ten_gigabytes", "gzip_bomb", "endless_chunks", "redirects_elsewhere"),
    *("lies_of_its_length", "many_lists", "deep_lists"),
)
DOCUMENTS = {
    "openapi_of_100_mb": "more than 8388608 bytes",
    "openapi_in_circles": "[response-type-changed] at /components/schemas/B",
    "openapi_elsewhere": "a reference into this document",
    "openapi_of_a_file": "a reference into this document",
    "openapi_of_long_keys": "characters in the JSON pointers",
    "openapi_of_many_names": "steps of comparison",
    "openapi_doubling": "at most",
}
METRICS = {
    "metrics_of_one_line": ("telemetry.metrics.scrape", "a line of"),
    "metrics_of_many_lines": ("telemetry.metrics.scrape", "lines, more than"),
    "metrics_beyond_a_double": ("telemetry.metrics.inferences", "counted nan"),
}
MANIFESTS = ("model.onnx", "../../../../../../etc/passwd", "link")
CASES = (
    *("sound", *WAYS, *DOCUMENTS, *METRICS),
    *(f"{way}, all families" for way in WAYS),
    *(f"{way}, at readiness" for way in UNREADY),
    *(f"{way}, at the metadata" for way in UNKNOWN),
    *(f"manifest with {model}" for model in MANIFESTS),
    *("logs_a_gigabyte", "forks", "eats_memory", "fills_its_disk", "fills_its_root", "is_deaf"),
    *("prints_commands", "calls_out", "reaches_for_the_engine"),
)
