"""Studies made of random clouds, for figures and reports."""

import pytest


@pytest.fixture(scope="session")
def synthetic():
    """The builders; imported late, when shape types are already checked."""
    import synthetic

    return synthetic
