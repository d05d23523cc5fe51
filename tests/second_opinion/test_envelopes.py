"""Global envelopes against the definition of Myllymäki et al. 2017, in plain loops.

Their measure, as R's package GET has it in `forder(measure = "erl")`: each curve's pointwise ranks from below and from
above, the smaller of both at every x, sorted; a curve is as extreme as the share of curves that are lexicographically
at most as large.
"""

import numpy as np
import pytest

from zspace.geometry.comparing.ranks import global_envelope


def plain_shares(curves):
    n_curves, n_x = curves.shape
    sorted_ranks = []
    for curve in curves:
        ranks = []
        for x in range(n_x):
            from_below = sum(other[x] <= curve[x] for other in curves)
            from_above = sum(other[x] >= curve[x] for other in curves)
            ranks.append(min(from_below, from_above))
        sorted_ranks.append(sorted(ranks))
    return [sum(other <= ranks for other in sorted_ranks) / n_curves for ranks in sorted_ranks]


@pytest.mark.parametrize(("n_draws", "n_x", "level"), [(19, 5, 0.9), (39, 20, 0.95), (60, 3, 0.8)])
@pytest.mark.parametrize("seed", range(4))
def test_shares_and_envelopes_agree_with_plain_loops(n_draws, n_x, level, seed):
    random = np.random.default_rng(seed)
    curves = random.standard_normal((n_draws + 1, n_x)).cumsum(axis=1).round(1)  # rounded, so that some tie
    shares = plain_shares(curves)
    found = global_envelope(curves[0], curves[1:], level)
    kept = [curve for curve, share in zip(curves, shares, strict=True) if share > 1 - level]
    assert found.p == pytest.approx(shares[0])
    assert np.array_equal(found.low, np.min(kept, axis=0))
    assert np.array_equal(found.high, np.max(kept, axis=0))
