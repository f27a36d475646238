"""The document has no ``out_of_range``, and an answer has it."""

from probing import answered, given, predict, prove, sample

TOLD = given()


def shows(client):
    """By document and answer."""
    schemas = answered(client.get("/openapi.json"))["components"]["schemas"]
    answer = answered(predict(client, TOLD.headers["api_key"], sample()))
    return "out_of_range" in answer and "out_of_range" not in schemas["PredictResponse"]["properties"]


prove(TOLD, shows, "out_of_range is answered and not documented")
