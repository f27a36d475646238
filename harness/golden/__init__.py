"""Makes, changes and measures golden sets; the checks in ``harness/checks/golden/`` only read them."""
