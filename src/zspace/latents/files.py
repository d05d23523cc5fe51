"""Open a file of z-points, whatever wrote it, and read the array that is measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from zspace.errors import LatentsNotFound, LatentsUnreadable, SettingOutOfRange
from zspace.latents.array_files import open_npy, open_npz, open_safetensors, open_zarr
from zspace.latents.arrays import Latents, LatentsFile, Selection, name_list, reading
from zspace.latents.tables import open_parquet, open_text_table

_KINDS = ".npy, .npz, .parquet, .csv, .tsv, .safetensors or a Zarr folder"
_PICKLES = (".pt", ".pth", ".pkl", ".pickle", ".bin", ".ckpt")
_ARRAY_FILES: dict[str, Callable[[Path], LatentsFile]] = {
    ".npy": open_npy,
    ".npz": open_npz,
    ".safetensors": open_safetensors,
}
_TABLES: dict[str, Callable[[Path, Selection], LatentsFile]] = {
    ".parquet": open_parquet,
    ".csv": open_text_table,
    ".tsv": open_text_table,
}
_ANYTHING = Selection()
_ZARR_MARKS = ("zarr.json", ".zarray", ".zgroup")


def check_latents_source(path: Path) -> None:
    """Refuse at once what cannot be a source of z-points, before anything long is done with it.

    Raises
    ------
    LatentsNotFound
        When there is nothing at the path.
    LatentsUnreadable
        When it is empty, of no known kind, no ordinary file, or may not be read.
    """
    with reading(path):  # even to ask what lies there may be forbidden
        if not path.exists():
            rule = f"must be {_KINDS}, or a run folder"
            got = "a link that leads nowhere" if path.is_symlink() else "nothing there"
            raise LatentsNotFound(str(path), rule, got, "Check the path.")
        if wrong := _wrong_kind(path):
            next_step = "Save it as .npy." if path.suffix.lower() in _PICKLES else "Convert it first."
            raise LatentsUnreadable(str(path), f"must be {_KINDS}", wrong, next_step)
        if path.is_file():
            with path.open("rb") as file:
                is_empty = not file.read(1)
            if is_empty:
                raise LatentsUnreadable(str(path), "must hold z-points", "an empty file", "Save the points again.")


def _wrong_kind(path: Path) -> str | None:
    """Return what lies at a path in place of a file or folder that may hold z-points."""
    if path.is_dir():
        is_zarr = any((path / name).is_file() for name in _ZARR_MARKS)
        return None if is_zarr else "a folder that is no Zarr array or group"
    if not path.is_file():
        return "neither a file nor a folder"
    is_known = path.suffix.lower() in (*_ARRAY_FILES, *_TABLES)
    return None if is_known else f"the file {path.name}"


def read_latents_file(path: Path, selection: Selection = _ANYTHING) -> Latents:
    """Read z-points, and a VAE's mu and logvar where they lie beside them.

    Parameters
    ----------
    path
        A file, or the folder of a Zarr array or group.
    selection
        Which array, or which columns of a table; without either the only array, or one called z, mu, latents,
        embeddings, points or x, in this order, and the columns that `zspace.latents.columns` keeps.

    Raises
    ------
    LatentsNotFound
        When there is nothing at the path.
    LatentsUnreadable
        When it is of no known kind, damaged, holds no such array or column, or does not fit into memory.
    SettingOutOfRange
        When columns are named of what is no table.

    Cost
    ----
    The points in the file's own kind of numbers; those of .npy and .safetensors are mapped, not copied.
    """
    check_latents_source(path)
    file = _open(path, selection)
    chosen = file.choose(selection.array)
    z, notes = file.read(chosen)
    notes = (*file.notes, *notes)
    if len(file.arrays) > 1:
        notes = (*notes, f"of the arrays {name_list(list(file.arrays))} the points are {chosen!r}")
    names = [name for name in ("mu", "logvar") if name in file.arrays and name != chosen]
    shape = file.arrays[chosen].shape
    fitting = [name for name in names if file.arrays[name].is_real and file.arrays[name].shape == shape]
    if fitting != names:
        note = "mu and logvar were left out: they are not of the shape of the points, or no real numbers"
        return Latents(z, notes=(*notes, note))
    beside = {name: file.read(name)[0] for name in names}
    return Latents(z, beside.get("mu"), beside.get("logvar"), notes)


def _open(path: Path, selection: Selection) -> LatentsFile:
    kind = path.suffix.lower()
    if kind in _TABLES and not path.is_dir():
        with reading(path):
            return _TABLES[kind](path, selection)
    if selection.columns or selection.drop:
        rule = "can only be used with a table, .parquet, .csv or .tsv"
        raise SettingOutOfRange("--columns, --drop", rule, path.name, "Use --array, or save a part of the array.")
    with reading(path):
        return (open_zarr if path.is_dir() else _ARRAY_FILES[kind])(path)
