"""Trains, judges and exports the reference models; never needed to serve, gate or test them."""

__version__ = "1.2.0"
