"""Randomness of a session: a small generator (splitmix64, 8 bytes of state) seeded by the host. Pauses and `Me` draw from
it and nothing else is random, so two sessions with the same seed and the same replies decide the same.
"""

MASK = (1 << 64) - 1


class Rng:
    __slots__ = ("state",)

    def __init__(self, seed):
        self.state = seed & MASK

    def bits(self):
        """64 random bits."""
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        mixed = self.state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & MASK
        return mixed ^ (mixed >> 31)

    def float(self):
        """At least 0, less than 1."""
        return (self.bits() >> 11) * 2.0**-53

    def range(self, least, most):
        """A whole number, both bounds included."""
        return least + int(self.float() * (most - least + 1))

    def pick(self, items):
        """One of the items; None when there are none."""
        return items[int(self.float() * len(items))] if items else None

    def weighted(self, pairs):
        """One of `(item, weight)`, each as often as its weight says; None when all weights are 0."""
        rest = self.float() * sum(max(weight, 0) for _, weight in pairs)
        last = None
        for item, weight in pairs:
            if weight > 0:
                if rest < weight:
                    return item
                rest -= weight
                last = item  # rounding may leave a crumb
        return last
