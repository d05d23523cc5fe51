"""Studies made of random clouds; each is built once for all tests that only read it."""

import importlib.util
import sys
from pathlib import Path

import pytest

from zspace.report import render_report


def _load(path):
    """Import a module that lies beside the tests and is no test itself."""
    if path.stem not in sys.modules:
        spec = importlib.util.spec_from_file_location(path.stem, path)
        sys.modules[path.stem] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[path.stem]


@pytest.fixture(scope="session")
def synthetic():
    return _load(Path(__file__).parent / "synthetic.py")


@pytest.fixture(scope="session")
def study(synthetic):
    return synthetic.study()


@pytest.fixture(scope="session")
def page(study):
    return render_report(study).page
