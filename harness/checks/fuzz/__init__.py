"""The fuzz family."""
