"""Fixed windows: what a request is charged to, and the counters of one process.

A request is charged to all of its windows or to none. The storages of `limits` charge one fixed window at a
time, and what is refused too: a request that its second quota refuses would use up the first, and a batch
that does not fit would use up the rest. Its memory storage also walks over all windows on every hit.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

MAX_WINDOWS = 65_536
"""Of one quota, about 16 MB. An attacker with many addresses must not fill the memory."""
FIRST_SWEEP = 1024


class Charge(NamedTuple):
    """What a request costs of one quota.

    Attributes:
        quota: Name of the quota, for metrics and messages.
        window: Which counter: quota and identity.
        limit: The most that the window may hold.
        period_s: How long the window lasts from its first charge.
        cost: How much is asked for.
    """

    quota: str
    window: str
    limit: int
    period_s: int
    cost: int


class WindowState(NamedTuple):
    """How a window stood before the charge: what was used, and the seconds until it ends."""

    used: int
    ends_in_s: float


class WindowsUnavailableError(Exception):
    """Nobody can tell at the moment how much is left."""


class Windows(Protocol):
    """Counters of windows."""

    async def charge(self, charges: Sequence[Charge]) -> list[WindowState]:
        """Charge every window, or none if one has too little left; return how they stood before.

        Raises:
            WindowsUnavailableError: The counters can't be reached.
        """

    async def close(self) -> None:
        """Give back what is held."""


def fits(charge: Charge, state: WindowState) -> bool:
    """Tell whether a window has enough left."""
    return state.used + charge.cost <= charge.limit


class LocalWindows:
    """Counters of this process. Nothing is awaited while it charges, so a charge is atomic.

    Each quota has a table of its own: strangers with many addresses push out no window of a key.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, *, max_windows: int = MAX_WINDOWS
    ) -> None:
        self._clock = clock
        self._tables = defaultdict[str, _Table](lambda: _Table(max_windows))

    async def charge(self, charges: Sequence[Charge]) -> list[WindowState]:
        """Charge every window, or none if one has too little left; return how they stood before."""
        now = self._clock()
        states = []
        charged = True
        for charge in charges:
            used, ends_at = self._tables[charge.quota].windows.get(charge.window, (0, now))
            state = WindowState(used, ends_at - now) if ends_at > now else WindowState(0, charge.period_s)
            charged = charged and fits(charge, state)
            states.append(state)
        if charged:
            for charge, state in zip(charges, states, strict=True):
                table = self._tables[charge.quota]
                table.windows[charge.window] = (state.used + charge.cost, now + state.ends_in_s)
                if len(table.windows) > table.sweep_at:
                    table.sweep(now)
        return states

    async def close(self) -> None:
        """Hold nothing that has to be given back."""


class _Table:
    """The windows of one quota: what is used, and when the window ends."""

    def __init__(self, max_windows: int) -> None:
        self.windows: dict[str, tuple[int, float]] = {}
        self.sweep_at = min(FIRST_SWEEP, max_windows)
        self._max_windows = max_windows

    def sweep(self, now: float) -> None:
        """Forget windows that have ended and, if that is not enough, those that end soonest.

        The next sweep is due when there are twice as many, so that its cost is spread over many charges.
        """
        windows = [(window, state) for window, state in self.windows.items() if state[1] > now]
        if len(windows) > self._max_windows // 2:
            windows.sort(key=lambda item: item[1][1])
            windows = windows[-(self._max_windows // 2) :]
        self.windows = dict(windows)
        self.sweep_at = min(max(FIRST_SWEEP, 2 * len(windows)), self._max_windows)
