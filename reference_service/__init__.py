"""Reference inference service: serves one ONNX artifact over HTTP, as its manifest describes it."""

import os

__version__ = "1.0.0"

# ONNX Runtime 1.29 and later report usage to their maker unless told not to before they are imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
