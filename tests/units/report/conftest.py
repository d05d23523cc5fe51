"""A study made of random clouds; it is built once for all tests that only read it."""

import pytest

from zspace.report import render_report


@pytest.fixture(scope="session")
def study(synthetic):
    return synthetic.study()


@pytest.fixture(scope="session")
def page(study):
    return render_report(study).page
