"""Fixtures and settings that all tests share.

Shape types are checked at run time: the hook has to be in place before the first import of zspace.
"""

import os

from jaxtyping import install_import_hook

# Two test processes share two cores: threads beyond one each would only wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")
install_import_hook("zspace", "shape_checks.check")
