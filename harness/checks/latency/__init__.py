"""The latency family."""
