"""The drift family."""
