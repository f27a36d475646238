"""A body whose type names another charset is answered 415, and one that names UTF-8 is predicted."""

import json

import httpx
from probing import given, prove, sample

told = given()


def shows(client: httpx.Client) -> bool:
    """The body itself is the same."""

    def status(charset: str) -> int:
        headers = {**told.headers["api_key"], "Content-Type": f"application/json; charset={charset}"}
        content = json.dumps({"features": sample()})
        return client.post("/predict", headers=headers, content=content).status_code

    return status("utf-16") == httpx.codes.UNSUPPORTED_MEDIA_TYPE and status("utf-8") == httpx.codes.OK


prove(told, shows, "charset=utf-16 is answered 415")
