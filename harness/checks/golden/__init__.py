"""The golden family."""
