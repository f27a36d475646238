import asyncio
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_service.access.windows import Charge, LocalWindows, fits


class Clock:
    """Time as the windows see it: it stands still unless a test moves it."""

    def __init__(self):
        self.now = 1_000_000.5

    def __call__(self):
        return self.now


@dataclass
class Oracle:
    """What is allowed, told from the list of everything that was answered."""

    answered: list = field(default_factory=list)

    def used(self, charge, now):
        opened, used = None, 0
        for at, window, cost in self.answered:
            if window == charge.window:
                if opened is None or at >= opened + charge.period_s:
                    opened, used = at, 0
                used += cost
        return used if opened is not None and now < opened + charge.period_s else 0

    def ask(self, charges, now):
        befores = [self.used(charge, now) for charge in charges]
        allowed = all(u + charge.cost <= charge.limit for u, charge in zip(befores, charges, strict=True))
        if allowed:
            self.answered += [(now, charge.window, charge.cost) for charge in charges]
        return allowed, befores


QUOTAS = {"a": (3, 10), "b": (5, 4), "c": (8, 25)}
STEPS = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 0, 1, 2, 3, 9]),
        st.lists(
            st.tuples(st.sampled_from(sorted(QUOTAS)), st.integers(1, 9)),
            min_size=1,
            max_size=3,
            unique_by=lambda pair: pair[0],
        ),
    ),
    max_size=30,
)


def as_charges(asked):
    return [Charge("quota", window, *QUOTAS[window], cost) for window, cost in asked]


@given(steps=STEPS)
def test_agrees_with_an_oracle_that_remembers_everything(steps):
    clock, oracle = Clock(), Oracle()
    windows = LocalWindows(clock)
    for passed, asked in steps:
        clock.now += passed
        charges = as_charges(asked)
        standings = asyncio.run(windows.charge(charges))
        allowed = all(fits(*pair) for pair in zip(charges, standings, strict=True))
        assert (allowed, [standing.used for standing in standings]) == oracle.ask(charges, clock.now)


@given(steps=STEPS)
def test_a_refusal_says_exactly_when_it_would_be_allowed(steps):
    clock = Clock()
    windows = LocalWindows(clock)
    for passed, asked in steps:
        clock.now += passed
        charges = [charge for charge in as_charges(asked) if charge.cost <= charge.limit]
        standings = asyncio.run(windows.charge(charges))
        waits = [s.ends_in_s for c, s in zip(charges, standings, strict=True) if not fits(c, s)]
        if waits:
            clock.now += max(waits)
            after = asyncio.run(windows.charge(charges))
            assert all(fits(*pair) for pair in zip(charges, after, strict=True))


def size(windows):
    return sum(len(table.windows) for table in windows._tables.values())


@pytest.mark.parametrize("ends_in_s", [1, 1_000_000])
def test_memory_is_bounded_and_the_windows_that_last_longest_stay(ends_in_s):
    windows = LocalWindows(Clock(), max_windows=2000)
    lasting = Charge("quota", "lasting", 3, 2_000_000, 1)

    async def flood():
        await windows.charge([lasting])
        for number in range(10_000):
            await windows.charge([Charge("quota", f"address {number}", 1, ends_in_s, 1)])
        return await windows.charge([lasting])

    assert asyncio.run(flood())[0].used == 1
    assert size(windows) <= 2001


def test_strangers_with_many_addresses_reset_nobodys_quota():
    windows = LocalWindows(Clock(), max_windows=2000)
    own = [Charge(quota, f"{quota}/client", 3, 10, 1) for quota in ("key", "rows", "global")]

    async def flood():
        await windows.charge(own)
        for number in range(10_000):
            await windows.charge([Charge("address", f"address/{number}", 1, 1_000_000, 1)])
        return await windows.charge(own)

    assert [state.used for state in asyncio.run(flood())] == [1, 1, 1]
    assert size(windows) <= 2000 + len(own)


def test_ended_windows_are_forgotten_before_any_that_counts():
    clock = Clock()
    windows = LocalWindows(clock, max_windows=4000)

    async def fill(prefix, count):
        charges = [Charge("quota", f"{prefix} {number}", 1, 60, 1) for number in range(count)]
        return [(await windows.charge([charge]))[0].used for charge in charges]

    asyncio.run(fill("old", 1000))
    clock.now += 60
    asyncio.run(fill("new", 1000))
    assert size(windows) == 1000
    assert asyncio.run(fill("new", 1000)) == [1] * 1000
