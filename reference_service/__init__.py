"""Reference inference service: serves one ONNX artifact over HTTP, as its manifest describes it."""

__version__ = "1.0.0"
