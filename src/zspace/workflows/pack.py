"""``pack``: images to image store."""

from dataclasses import replace
from pathlib import Path

from zspace.images.packing import pack_images, source_signature
from zspace.images.sources import open_source
from zspace.images.store import STORE_FILES, STORE_VERSION
from zspace.results import PackResult, Watcher, watch_nothing
from zspace.runfolder import StepLog, fingerprint
from zspace.settings import BUILT_IN_FACES, ImageSettings


def pack(settings: ImageSettings, seed: int, store: Path, watch: Watcher = watch_nothing) -> PackResult:
    """Pack images into a store, unless it is there and neither settings nor source have changed.

    Parameters
    ----------
    settings
        Which images, and how they become squares of one size.
    seed
        Only used for drawn faces.
    store
        Folder of the store. A store of the same source with other settings is replaced.
    watch
        Called with every progress record.
    """
    settings = absolute_paths(settings)
    log = pack_log(store)
    made_from = _fingerprint(settings, seed)

    def take() -> tuple[PackResult, list[Path]]:
        result = pack_images(settings, seed, store, watch)
        return result, [store / name for name in sorted(STORE_FILES) if (store / name).exists()]

    return log.once("pack", made_from, PackResult, take, watch)


def _fingerprint(settings: ImageSettings, seed: int) -> str:
    return fingerprint(settings=settings, seed=seed, source=source_signature(settings), version=STORE_VERSION)


def would_pack(settings: ImageSettings, seed: int, store: Path) -> str:
    """Return a sentence of what `pack` would do: how many images, or that they are packed already.

    Raises
    ------
    ImagesError
        When the source gives no images.
    """
    settings = absolute_paths(settings)
    source = open_source(settings, seed)
    if done := pack_log(store).finished("pack", _fingerprint(settings, seed), PackResult):
        return f"Nothing to pack: {store} holds the {done.n_images:,} images of {settings.source} already."
    # An archive that is read front to back does not know before its end how many there are.
    n_images = "the" if source.kind == "tar" else f"{source.expected(0):,}"
    return (
        f"Would pack {n_images} images of {settings.source} at {settings.size} x {settings.size} pixels into {store}."
    )


def pack_log(store: Path) -> StepLog:
    """Return the log of a store; it is hidden, for the visible files are those of the store's format."""
    return StepLog(store, ".zspace.json")


def absolute_paths(settings: ImageSettings) -> ImageSettings:
    """Return the settings with paths that mean the same from every working directory."""
    source = settings.source if settings.source == BUILT_IN_FACES else str(Path(settings.source).resolve())
    attributes = settings.attributes and str(Path(settings.attributes).resolve())
    return replace(settings, source=source, attributes=attributes)
