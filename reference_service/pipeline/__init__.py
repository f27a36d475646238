"""Trains, judges and exports the reference model; never needed to serve, gate or test it."""

__version__ = "1.1.0"
