"""The contract family."""
