"""A token that ended 15 seconds ago is accepted, and one that ended a minute ago is not."""

import httpx
from probing import given, predict, prove, sample

told = given()


def shows(client: httpx.Client) -> bool:
    """Both are signed by the issuer."""

    def status(token: str) -> int:
        return predict(client, {"Authorization": f"Bearer {told.tokens[token]}"}, sample()).status_code

    return status("ended_lately") == httpx.codes.OK and status("ended_before") == httpx.codes.UNAUTHORIZED


prove(told, shows, "a token that ended 15 seconds ago is accepted")
