"""``pack``: images to image store."""

from dataclasses import replace
from pathlib import Path

from zspace.images.packing import pack_images, source_signature
from zspace.images.sources import open_source
from zspace.images.store import STORE_FILES, STORE_VERSION
from zspace.results import PackResult, Watcher, watch_nothing
from zspace.runs.fingerprints import fingerprint
from zspace.runs.folders import pack_log
from zspace.runs.steps import Files
from zspace.settings import BUILT_IN_FACES, ImageSettings


def pack(
    settings: ImageSettings, seed: int, store: Path, watch: Watcher = watch_nothing, *, for_training: bool = True
) -> PackResult:
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
    for_training
        Whether a model will be trained on them; if not, any number of images will do, and they are not split.
    """
    settings = absolute_paths(settings)
    log = pack_log(store)
    made_from = _fingerprint(settings, seed, for_training)

    def take() -> tuple[PackResult, Files]:
        result = pack_images(settings, seed, store, watch, for_training=for_training)
        return result, {store / name: "" for name in sorted(STORE_FILES) if (store / name).exists()}

    return log.once("pack", made_from, PackResult, take, watch, asked=settings)


def _fingerprint(settings: ImageSettings, seed: int, for_training: bool) -> str:
    unsplit = {} if for_training else {"for_training": False}
    signature = source_signature(settings)
    return fingerprint(settings=settings, seed=seed, source=signature, version=STORE_VERSION, **unsplit)


def would_pack(settings: ImageSettings, seed: int, store: Path, *, for_training: bool = True) -> str:
    """Return a sentence of what `pack` would do: how many images, or that they are packed already.

    Parameters are those of `pack`.

    Raises
    ------
    ImagesError
        When the source gives no images.
    """
    settings = absolute_paths(settings)
    source = open_source(settings, seed)
    if done := pack_log(store).finished("pack", _fingerprint(settings, seed, for_training), PackResult):
        return f"Nothing to pack: {store} holds the {done.n_images:,} images of {settings.source} already."
    # An archive that is read front to back does not know before its end how many there are.
    n_images = "the" if source.kind == "tar" else f"{source.expected(0):,}"
    return (
        f"Would pack {n_images} images of {settings.source} at {settings.size} x {settings.size} pixels into {store}."
    )


def absolute_paths(settings: ImageSettings) -> ImageSettings:
    """Return the settings with paths that mean the same from every working directory."""
    source = settings.source if settings.source == BUILT_IN_FACES else _resolved(settings.source)
    return replace(settings, source=source, attributes=settings.attributes and _resolved(settings.attributes))


def _resolved(path: str) -> str:
    try:
        return str(Path(path).resolve())
    except (OSError, RuntimeError, ValueError):  # a link onto itself, or no path at all: who opens it says so
        return str(Path(path).absolute())
