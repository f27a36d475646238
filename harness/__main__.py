"""``python -m harness``."""
