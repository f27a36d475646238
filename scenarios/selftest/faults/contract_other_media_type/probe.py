"""What comes after the quota is a 429 of another media type."""

from probing import given, predict, prove, sample

QUOTA = 5
TOLD = given()


def shows(client):
    """By a key with a small quota."""
    asked = [predict(client, TOLD.headers["rate_burst"], sample()) for _ in range(QUOTA + 1)]
    return any(
        each.status_code == 429 and each.headers["content-type"].startswith("application/problem+json")
        for each in asked
    )


prove(TOLD, shows, "429 is answered as application/problem+json")
