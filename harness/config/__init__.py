"""The suite: gate.toml and what it refers to."""
