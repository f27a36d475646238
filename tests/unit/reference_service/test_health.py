"""One check of the sample for all who ask at about the same time."""

import asyncio

import pytest

from reference_service.model.artifact import ArtifactError
from reference_service.model.health import SHARED_S, SampleCheck


class Sample:
    """A check that takes a pass of the event loop, and what it finds."""

    def __init__(self):
        self.runs = 0
        self.now_s = 1000.0
        self.problem = None

    async def __call__(self):
        self.runs += 1
        await asyncio.sleep(0.01)
        if self.problem:
            raise self.problem


@pytest.fixture
def sample():
    return Sample()


@pytest.fixture
def check(sample):
    return SampleCheck(sample, clock=lambda: sample.now_s)


def test_who_asks_meanwhile_or_shortly_after_shares_the_outcome(check, sample):
    async def ask():
        sample.problem = ArtifactError("wrong")
        told = await asyncio.gather(*(check.problem() for _ in range(100)))
        sample.now_s += SHARED_S - 0.01
        return [*told, await check.problem()]

    assert asyncio.run(ask()) == [sample.problem] * 101
    assert sample.runs == 1


def test_a_change_of_the_model_is_told_after_that(check, sample):
    async def ask():
        told = []
        for problem in (None, ArtifactError("wrong"), None):
            sample.problem = problem
            told.append(await check.problem() is problem)
            sample.now_s += SHARED_S
        return told

    assert asyncio.run(ask()) == [True] * 3
    assert sample.runs == 3


def test_a_client_that_goes_away_does_not_take_the_check_with_it(check, sample):
    async def ask():
        impatient = asyncio.create_task(check.problem())
        patient = asyncio.create_task(check.problem())
        await asyncio.sleep(0)
        impatient.cancel()
        return await patient, impatient.cancelled()

    assert asyncio.run(ask()) == (None, True)
    assert sample.runs == 1
