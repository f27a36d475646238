"""The scenarios family."""
