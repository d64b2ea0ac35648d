"""Human pauses, which a journey yields. Each lies within the plan's pace, so that a plan with a pace of 0 makes a stress
test of any journey. The executor draws how long one is.
"""

import math

MAX_DELAY_MS = 3_600_000


class Pause:
    __slots__ = ("length",)

    def __init__(self, length):
        #: Tells the milliseconds, given the pace and the session's randomness.
        self.length = length


def think():
    """A human pause: log-normal over the plan's whole pace, most of them rather short, a few long."""
    return THINK


def think_long():
    """A pause before sending a form: in the upper half of the pace."""
    return THINK_LONG


def think_briefly():
    """A brief pause, as between quick searches: in the lowest tenth of the pace."""
    return THINK_BRIEFLY


def think_between(least, most):
    """A pause between these bounds in milliseconds, clamped to the plan's pace."""

    def length(pace, random):
        low, high = (max(pace[0], min(pace[1], millis)) for millis in (least, most))
        return log_normal(random, low, high)

    return Pause(length)


def wait(millis):
    """Exactly this many milliseconds, whatever the pace: for what a person is told to wait for."""
    return Pause(lambda pace, random: round(millis))


def log_normal(random, least, most):
    """A whole number in `least..most`: its median is their geometric mean, and the bounds lie two standard deviations
    away; what falls outside is drawn again."""
    if most <= least:
        return min(least, MAX_DELAY_MS)
    low, high = math.log(max(least, 1)), math.log(most)
    middle, deviation = (low + high) / 2, (high - low) / 4
    for _ in range(4):
        # Box and Muller; 1 - float() is never 0.
        normal = math.sqrt(-2 * math.log(1 - random.float())) * math.cos(math.tau * random.float())
        if abs(normal) <= 2:
            return min(max(round(math.exp(middle + deviation * normal)), least), most, MAX_DELAY_MS)
    return min(round(math.exp(middle)), MAX_DELAY_MS)


THINK = Pause(lambda pace, random: log_normal(random, pace[0], pace[1]))
THINK_LONG = Pause(lambda pace, random: log_normal(random, pace[0] + max(0, pace[1] - pace[0]) // 2, pace[1]))
THINK_BRIEFLY = Pause(lambda pace, random: log_normal(random, pace[0], pace[0] + max(0, pace[1] - pace[0]) // 10))
