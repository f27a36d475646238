"""Limiters in a few lines each, right and wrong, to hold an oracle against; time is an argument."""

import itertools
import math

ROUNDING_S = 1e-9


class FixedWindow:
    """Windows of a phase, or (None) opened by the first request; ``resets_s`` is the length it really has."""

    def __init__(self, limit, window_s, phase_s=None, resets_s=None):
        self.limit, self.length_s, self.phase_s = limit, resets_s or window_s, phase_s
        self.started_s, self.used = -math.inf, 0

    def passes(self, at_s, cost=1):
        if self.phase_s is not None:
            started_s = math.floor((at_s - self.phase_s) / self.length_s) * self.length_s + self.phase_s
        else:
            started_s = at_s if at_s >= self.started_s + self.length_s else self.started_s
        used = self.used if started_s == self.started_s else 0
        if used + cost > self.limit:
            return False
        self.started_s, self.used = started_s, used + cost
        return True

    def left(self, _at_s):
        """Right after it was asked, of windows opened by the first request."""
        return self.limit - self.used

    def wait_s(self, at_s, _cost):
        return math.ceil(self.started_s + self.length_s - at_s)

    whole_s = wait_s


class SlidingLog:
    """What passed in the window before."""

    def __init__(self, limit, window_s):
        self.limit, self.window_s, self.log = limit, window_s, []

    def passes(self, at_s, cost=1):
        used = sum(cost for then_s, cost in self.log if then_s > at_s - self.window_s)
        if used + cost > self.limit:
            return False
        self.log.append((at_s, cost))
        return True

    def left(self, at_s):
        return self.limit - sum(cost for then_s, cost in self.log if then_s > at_s - self.window_s)

    def wait_s(self, at_s, cost):
        """Until enough of the log is older than the window."""
        left = self.left(at_s)
        for then_s, freed in self.log:
            if then_s > at_s - self.window_s:
                left += freed
                if left >= cost:
                    return math.ceil(then_s + self.window_s - at_s)
        raise AssertionError("costs more than the limit")

    def whole_s(self, at_s, _cost):
        return math.ceil(max((then_s for then_s, _ in self.log), default=at_s) + self.window_s - at_s)


class SlidingCounter:
    """The previous aligned window weighed, rounded down or not."""

    def __init__(self, limit, window_s, phase_s=0.0, *, rounded=False):
        self.limit, self.window_s, self.phase_s, self.rounded = limit, window_s, phase_s, rounded
        self.used = {}

    def passes(self, at_s, cost=1):
        number, elapsed_s = divmod(at_s - self.phase_s, self.window_s)
        weighed = self.used.get(number - 1, 0) * (1 - elapsed_s / self.window_s)
        here = self.used.get(number, 0)
        if (math.floor(weighed) if self.rounded else weighed) + here + cost > self.limit:
            return False
        self.used[number] = here + cost
        return True


class TokenBucket:
    """Full at first."""

    def __init__(self, limit, window_s, burst):
        self.rate, self.burst, self.tokens, self.then_s = limit / window_s, burst, float(burst), None

    def passes(self, at_s, cost=1):
        gained = 0.0 if self.then_s is None else (at_s - self.then_s) * self.rate
        self.tokens, self.then_s = min(self.burst, self.tokens + gained), at_s
        passes = self.tokens >= cost
        self.tokens -= cost * passes
        return passes

    def left(self, _at_s):
        return math.floor(self.tokens)

    def wait_s(self, _at_s, cost):
        return math.ceil((cost - self.tokens) / self.rate)

    def whole_s(self, _at_s, _cost):
        return math.ceil((self.burst - self.tokens) / self.rate)


class Gcra:
    """The theoretical arrival time, and how much sooner one may come."""

    def __init__(self, limit, window_s, burst):
        self.increment_s, self.burst, self.arrival_s = window_s / limit, burst, -math.inf

    def passes(self, at_s, cost=1):
        arrival_s = max(self.arrival_s, at_s) + cost * self.increment_s
        if at_s < arrival_s - self.burst * self.increment_s - ROUNDING_S:
            return False
        self.arrival_s = arrival_s
        return True


class OneOfSeveral:
    """Several limiters that each count for themselves, asked in turn: workers without a common store."""

    def __init__(self, *limiters):
        self.turns = itertools.cycle(limiters)

    def passes(self, at_s, cost=1):
        return next(self.turns).passes(at_s, cost)
