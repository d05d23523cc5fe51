"""Decoded pictures and the sheets of maps, as arrays in files of their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zspace.files import slug
from zspace.results import Map, MapSheet
from zspace.runs.folders import RunFolder
from zspace.runs.steps import StepLog
from zspace.runs.tensors import load_arrays, save_arrays
from zspace.shapes import Images


def save_pictures(run: RunFolder, pictures: dict[str, Images]) -> str:
    """Write the pictures of a run by the name of their sampler, atomically, and return their digest."""
    return save_arrays(run.pictures, pictures, {})


def read_pictures(run: RunFolder) -> dict[str, Images]:
    """Return the pictures of a run by the name of their sampler.

    Raises
    ------
    FileDamaged
        When they are not those that were generated here.
    """
    pictures, _ = load_arrays(run.pictures, StepLog(run.path).digest("generate", run.pictures))
    return dict(pictures)


def map_path(folder: RunFolder, name: str) -> Path:
    """Return the file of a map's sheet."""
    return folder.maps / f"{slug(name)}.safetensors"


def map_step(name: str) -> str:
    """Return the step in the log under which a map is on record."""
    return f"map {name}"


def save_sheet(path: Path, sheet: MapSheet) -> str:
    """Write a sheet as safetensors, atomically, and return its digest."""
    arrays = {"rows": sheet.rows, "coordinates": sheet.coordinates, "scored": sheet.scored}
    arrays |= {f"score {name}": values for name, values in sheet.scores.items()}
    arrays |= {f"color {name}": values for name, values in sheet.colors.items()}
    if sheet.null_coordinates is not None:
        arrays["null coordinates"] = sheet.null_coordinates
    return save_arrays(path, arrays, {})


def read_sheets(folder: RunFolder, maps: dict[str, Map]) -> dict[str, MapSheet]:
    """Return the sheets of the maps that were drawn, by the name of the map.

    Raises
    ------
    FileDamaged
        When one is not as it was drawn here.
    """
    drawn = [name for name, found in maps.items() if found.elapsed_seconds is not None]
    return {name: _read_sheet(folder, name) for name in drawn}


def _read_sheet(folder: RunFolder, name: str) -> MapSheet:
    path = map_path(folder, name)
    arrays, _ = load_arrays(path, StepLog(folder.path).digest(map_step(name), path))

    def of_kind(kind: str) -> dict[str, np.ndarray]:
        return {name.removeprefix(kind): values for name, values in sorted(arrays.items()) if name.startswith(kind)}

    return MapSheet(
        arrays["rows"],
        arrays["coordinates"],
        arrays["scored"],
        of_kind("score "),
        of_kind("color "),
        arrays.get("null coordinates"),
    )
