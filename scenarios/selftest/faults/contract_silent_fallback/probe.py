"""Metadata names a GPU's provider, and every node of the model ran on the CPU."""

from probing import answered, given, prove

TOLD = given()


def shows(client):
    """By metadata."""
    told = answered(client.get("/metadata", headers=TOLD.headers["api_key"]))
    ran = {name for name, count in told["nodes_by_provider"].items() if count}
    return told["execution_provider"] == "CUDAExecutionProvider" and ran == {"CPUExecutionProvider"}


prove(TOLD, shows, "a GPU is named, and the CPU runs the model")
