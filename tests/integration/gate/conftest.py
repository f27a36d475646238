"""Gates as processes of their own, to be interrupted and to run side by side."""

import pytest
from running_gates import gates


@pytest.fixture
def start_gate(tmp_path):
    """Starts ``harness run``; whatever still runs at the end of the test is killed."""
    with gates(tmp_path) as start:
        yield start
