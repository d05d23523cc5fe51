"""The guard: it looks at a run every few steps and says when something has jumped."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite

CHECK_STEPS = 20
"""Steps between two looks: a fixed number, so that a repeated run is looked at in the same places."""
_WARM_UP_CHECKS = 10
"""Looks before anything counts as a jump: at the start everything moves."""
_REMEMBERED = 30
JUMPS = {"loss": 1.3, "gradient norm": 20.0, "KL divergence": 2.0, "mean radius": 1.5}
"""How many times the largest value of the last looks a quantity may reach: growth is no jump."""


@dataclass(frozen=True)
class Trouble:
    """What the guard saw."""

    quantity: str
    value: float | None
    """None when it was not finite."""
    usual: float | None

    def __str__(self) -> str:
        if self.value is None:
            return f"a {self.quantity} that is not finite"
        return f"a {self.quantity} of {self.value:.4g}, at most {self.usual:.4g} before"


@dataclass
class Guard:
    """Remembers what has been usual. Its memory belongs into a checkpoint."""

    seen: dict[str, tuple[float, ...]] = field(default_factory=dict)

    def look(self, values: dict[str, float]) -> Trouble | None:
        """Return the first trouble among these values, or remember them and return None.

        Parameters
        ----------
        values
            By name, as in `JUMPS`; means, or for the gradient the largest, since the last look.
        """
        for quantity, value in values.items():
            if not isfinite(value):
                return Trouble(quantity, None, self._usual(quantity))
            usual = self._usual(quantity)
            if usual is not None and value > JUMPS[quantity] * usual:
                return Trouble(quantity, value, usual)
        for quantity, value in values.items():
            self.seen[quantity] = (*self.seen.get(quantity, ()), value)[-_REMEMBERED:]
        return None

    def _usual(self, quantity: str) -> float | None:
        seen = self.seen.get(quantity, ())
        return max(seen) if len(seen) >= _WARM_UP_CHECKS else None
