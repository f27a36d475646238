"""Trains, judges and exports the reference model; never needed to serve, gate or test it."""
