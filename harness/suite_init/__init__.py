"""A first suite for a service that runs: what ``harness init`` finds out, and the files it writes."""
