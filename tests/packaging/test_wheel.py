"""The wheel stands on its own: built, installed in a clean environment, and every module imported there."""

import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
IMPORT_ALL = """
import importlib, pkgutil, zspace
names = [module.name for module in pkgutil.walk_packages(zspace.__path__, "zspace.") if module.name != "zspace.__main__"]
for name in names:
    importlib.import_module(name)
print(len(names), zspace.__file__)
"""


def run(*command, cwd):
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_wheel_works_in_a_clean_environment(tmp_path):
    source = tmp_path / "source"
    tracked = run("git", "ls-files", "-z", cwd=ROOT).split("\0")
    for name in filter(None, tracked):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", tmp_path, source, cwd=tmp_path)
    (wheel,) = tmp_path.glob("zspace-*.whl")
    clean = tmp_path / "venv"
    venv.create(clean, with_pip=True)
    python = clean / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "packaging", cwd=tmp_path)
    run(python, source / "scripts" / "install_torch.py", cwd=tmp_path)
    run(python, "-m", "pip", "install", "--quiet", wheel, cwd=tmp_path)
    assert "study" in run(clean / "bin" / "zspace", "--help", cwd=tmp_path)
    n_modules, path = run(python, "-c", IMPORT_ALL, cwd=tmp_path).split()
    assert int(n_modules) > 50
    assert path.startswith(str(clean))
    out = run(clean / "bin" / "zspace", "study", "demo", "--dry-run", cwd=tmp_path)
    assert "models.ae.network.z_dim" in out
