"""Install the build of PyTorch that fits this machine, and say which one it is.

Without an NVIDIA GPU the CUDA build is gigabytes of nothing. Where pip can find a CPU build, this takes it: the newest
version in the range of pyproject.toml whose local part is "cpu". Point pip to where such builds are, if your platform's
default index has none, with PIP_EXTRA_INDEX_URL or PIP_FIND_LINKS.
"""

import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]


def wanted_torch() -> Requirement:
    """Return the range that the package asks for."""
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))
    requirements = (Requirement(text) for text in project["project"]["dependencies"])
    return next(requirement for requirement in requirements if requirement.name == "torch")


def installed_torch() -> str | None:
    """Return the version that is there already."""
    try:
        return version("torch")
    except PackageNotFoundError:
        return None


def newest_cpu_build(wanted: Requirement) -> str | None:
    """Return the newest CPU build in the range that pip can find, or None."""
    listing = subprocess.run([*PIP, "index", "versions", "torch"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"Available versions: (.*)", listing)
    versions = [Version(text) for text in found.group(1).split(", ")] if found else []
    fitting = [v for v in versions if v.local == "cpu" and wanted.specifier.contains(v)]
    return str(max(fitting)) if fitting else None


def main() -> None:
    """Install, and say what was taken and why."""
    wanted = wanted_torch()
    there = installed_torch()
    if there and wanted.specifier.contains(Version(there)):
        sys.stdout.write(f"PyTorch {there} is already there.\n")
        return
    has_gpu = shutil.which("nvidia-smi") is not None
    cpu_build = None if has_gpu else newest_cpu_build(wanted)
    subprocess.run([*PIP, "install", "--quiet", f"torch=={cpu_build}" if cpu_build else str(wanted)], check=True)
    taken = subprocess.run(
        [sys.executable, "-c", "from importlib.metadata import version; print(version('torch'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    reason = "an NVIDIA GPU was found" if has_gpu else "no NVIDIA GPU was found"
    build = "the CPU build" if cpu_build else "pip's default build"
    sys.stdout.write(f"Installed PyTorch {taken}: {build}, since {reason}.\n")


if __name__ == "__main__":
    main()
