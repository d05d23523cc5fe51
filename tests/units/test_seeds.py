"""Named random streams."""

from zspace.seeds import random_stream, stream_seed


def test_the_same_name_gives_the_same_numbers():
    assert random_stream(3, "order", 1).random() == random_stream(3, "order", 1).random()


def test_other_names_counters_and_seeds_give_other_numbers():
    draws = {
        random_stream(seed, name, counter).random() for seed in (1, 2) for name in ("a", "b") for counter in (0, 1)
    }
    assert len(draws) == 8


def test_integer_seeds_fit_every_library():
    seeds = [stream_seed(seed, "weights") for seed in range(100)]
    assert len(set(seeds)) == 100
    assert all(0 <= seed < 2**63 for seed in seeds)
