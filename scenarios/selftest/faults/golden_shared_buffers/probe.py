"""Of many requests at a time, some get the answer to another; of few, none."""

from concurrent.futures import ThreadPoolExecutor

from probing import answered, cases, given, predict, prove

MANY = 32
TIMES = 8
TOLD = given()


def wrong(client, at_a_time):
    """How many of the first golden cases get another answer than theirs."""

    def is_wrong(case):
        answer = answered(predict(client, TOLD.headers["api_key"], case["input"]))
        expected = case["expected"]["probabilities"]["malignant"]
        return abs(answer["probabilities"]["malignant"] - expected) > 1e-4

    with ThreadPoolExecutor(at_a_time) as pool:
        return sum(pool.map(is_wrong, cases(TIMES * at_a_time)))


def shows(client):
    """By as many connections."""
    return wrong(client, 1) == 0 and wrong(client, MANY) > 0


prove(TOLD, shows, "answers are crossed among many requests at a time")
