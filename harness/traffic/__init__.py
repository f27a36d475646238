"""Recorded requests: how they are stored, and a recorder for a service that is in use."""
