"""A batch for a key that may only read the metadata, which gets no single prediction."""

from probing import given, predict, predict_batch, prove, sample, samples

told = given()


def lets_batches(client):
    """Whether it is only the batch that is not guarded."""
    reader = told.headers["reader_key"]
    single = predict(client, reader, sample()).status_code
    return (single, predict_batch(client, reader, samples(2)).status_code) == (403, 200)


prove(told, lets_batches, "a key without the scope gets a batch of predictions")
