"""A model made of random clouds; it is built once for all tests that only read it."""

import pytest


@pytest.fixture(scope="session")
def model(synthetic):
    return synthetic.model(600, 24)
