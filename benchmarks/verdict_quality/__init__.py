"""How often the latency verdict is right, on containers; see `docs/verdict-quality.md`."""
