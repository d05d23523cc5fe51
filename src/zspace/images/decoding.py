"""Encoded bytes to RGB pixels, whatever the format, depth, colour model or orientation.

OpenCV decodes what nearly every file is: JPEG, PNG and WebP of 8 bits, grey or colour. Pillow decodes the rest, HEIC
where pillow-heif is installed, by
these rules: transparency is laid over white; of 16 bits the upper 8 are kept; CMYK becomes RGB without a colour
profile; palettes and single bits become the colours they mean; of several pages or frames the first is taken. EXIF
orientation is always honoured.

A JPEG with a damaged middle between whole ends decodes to a picture with a grey or shifted part, here as in any
viewer, and is kept: libjpeg only mutters about it.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

import cv2
import numpy as np
from PIL import BmpImagePlugin, ImageOps, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin
from PIL import Image as Pillow
from PIL.ImageFile import ImageFile

from zspace.images.candidates import KNOWN_KINDS, Skipped, pixels_to_rgb
from zspace.shapes import Image

_JPEG_START = b"\xff\xd8\xff"
_JPEG_END = b"\xff\xd9"
_PNG_START = b"\x89PNG\r\n\x1a\n"
_GREY, _COLOUR = 0, 2
_GREY_OR_COLOUR = (_GREY, _COLOUR)
_FEW_BITS = (2, 4)
_JPEG_SEGMENT = struct.Struct(">BBH")
_JPEG_FRAME = struct.Struct(">HBHHB")
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_START_OF_SCAN = 0xDA
_MARKER = 0xFF
_WITHOUT_SEGMENT = frozenset({0x00, 0x01, *range(0xD0, 0xDA), _MARKER})
"""What may follow a marker's first byte without a segment behind it."""
_DEPTH, _DEEP = 8, 12
_PHOTOMETRIC = TiffImagePlugin.PHOTOMETRIC_INTERPRETATION
_AVIF_BRANDS = (b"avif", b"avis")
_CMYK_CHANNELS = 4


@dataclass(frozen=True, slots=True)
class Header:
    """What an image file says about itself before anything is decoded."""

    width: int
    height: int
    picture: ImageFile | None
    """The file as Pillow sees it; None when OpenCV can decode it."""

    @property
    def n_pixels(self) -> int:
        """Pixels that decoding will give."""
        return self.width * self.height

    @property
    def peak_bytes(self) -> int:
        """Memory that decoding takes at most: pixels and an upright copy; more in Pillow, for transparency."""
        return self.n_pixels * (6 if self.picture is None else 12)


def read_header(data: bytes, max_megapixels: float) -> Header:
    """Return what decoding needs to know, or refuse the file.

    Parameters
    ----------
    data
        A whole image file. Its own first bytes tell the format, not its name.
    max_megapixels
        The most pixels it may decode to, in millions.

    Raises
    ------
    Skipped
        When the bytes are empty, of no known format, cut short, damaged, or more pixels than allowed.

    Cost
    ----
    About 5 microseconds for a JPEG or PNG, 40 for others.
    """
    if not data:
        raise Skipped("empty file")
    if data.startswith(_JPEG_START):
        header = _jpeg_header(data)
    elif data.startswith(_PNG_START):
        header = _png_header(data)
    else:
        header = _pillow_header(data)
    if header.n_pixels > max_megapixels * 1e6:
        raise Skipped(f"more than {max_megapixels:g} megapixels")
    return header


def _jpeg_header(data: bytes) -> Header:
    width = height = n_channels = depth = 0
    position, marker = len(data), 0
    for position, marker in _jpeg_segments(data):
        if marker in _FRAME_HEADERS and position + 2 + _JPEG_FRAME.size <= len(data):
            _n_bytes, depth, height, width, n_channels = _JPEG_FRAME.unpack_from(data, position + 2)
    # Inside a scan the end marker cannot occur by chance; before it, it may belong to an embedded thumbnail. Without
    # this look, a file cut short would come out as a picture whose rest is grey.
    if marker != _START_OF_SCAN or data.rfind(_JPEG_END, position) < 0:
        raise Skipped("truncated")
    if not width * height:
        raise Skipped("damaged")
    if depth == _DEEP:
        raise Skipped(f"a JPEG of {_DEEP} bits")
    return Header(width, height, _open(data) if n_channels == _CMYK_CHANNELS else None)


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each marker stands and which it is, up to the start of the picture itself."""
    position = 2
    while 0 <= position <= len(data) - _JPEG_SEGMENT.size:
        lead, marker, n_bytes = _JPEG_SEGMENT.unpack_from(data, position)
        if lead == _MARKER and marker not in _WITHOUT_SEGMENT:
            yield position, marker
            position = len(data) if marker == _START_OF_SCAN else position + 2 + n_bytes
        else:  # stray bytes and fill bytes: every decoder goes on at the next marker
            position = data.find(_MARKER, position + 1)


def _png_header(data: bytes) -> Header:
    # Every chunk must lie inside the file: OpenCV would set aside what a damaged length asks for, up to 4 GB.
    kinds = set()
    position = len(_PNG_START)
    while b"IEND" not in kinds:
        kinds.add(data[position + 4 : position + 8])
        position += 12 + int.from_bytes(data[position : position + 4])
        if position > len(data):
            raise Skipped("truncated")
    if data[12:16] != b"IHDR":
        raise Skipped("damaged")
    width, height, depth, colour = struct.unpack_from(">IIBB", data, 16)
    if colour in _GREY_OR_COLOUR and not kinds & {b"tRNS", b"eXIf"}:
        return Header(width, height, None)
    if colour == _COLOUR and depth > _DEPTH and b"tRNS" in kinds:
        # Pillow compares the 16 bits of the transparent colour with the upper 8 that it keeps of every pixel.
        raise Skipped("one colour of 16 bits is transparent")
    picture = _open(data)
    if colour == _GREY and depth in _FEW_BITS and "transparency" in picture.info:
        # Pillow spreads the pixels of few bits over 0 to 255, but not the one that is transparent.
        picture.info["transparency"] *= 255 // (2**depth - 1)
    return Header(width, height, picture)


def _pillow_header(data: bytes) -> Header:
    if data.startswith(b"RIFF") and int.from_bytes(data[4:8], "little") + 8 > len(data):
        raise Skipped("truncated")
    picture = _open(data)
    is_plain = (
        isinstance(picture, WebPImagePlugin.WebPImageFile) and picture.mode == "RGB" and "exif" not in picture.info
    )
    return Header(picture.width, picture.height, None if is_plain else picture)


def _opener(data: bytes) -> Callable[[io.BytesIO], ImageFile] | None:
    if data.startswith(_PNG_START):
        return PngImagePlugin.PngImageFile
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return WebPImagePlugin.WebPImageFile
    if data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return TiffImagePlugin.TiffImageFile
    if data.startswith(b"BM"):
        return BmpImagePlugin.BmpImageFile
    if data.startswith(_JPEG_START):
        return JpegImagePlugin.JpegImageFile
    return _brand_opener(data[8:12]) if data[4:8] == b"ftyp" else None


def _brand_opener(brand: bytes) -> Callable[[io.BytesIO], ImageFile] | None:
    """Return what opens the pictures of the HEIF family, as far as it is installed."""
    if brand in _AVIF_BRANDS:
        return _named_opener("PIL.AvifImagePlugin", "AvifImageFile")
    return _named_opener("pillow_heif", "HeifImageFile")


def _named_opener(module: str, name: str) -> Callable[[io.BytesIO], ImageFile] | None:
    if find_spec(module) is None:
        return None
    opener: Callable[[io.BytesIO], ImageFile] = getattr(import_module(module), name)
    return opener


def _open(data: bytes) -> ImageFile:
    # Not Image.open: that warns and refuses by a limit of its own, which only a global variable could change.
    opener = _opener(data)
    if opener is None:
        raise Skipped(f"not a {KNOWN_KINDS} file")
    try:
        return opener(io.BytesIO(data))
    except Exception as error:  # a damaged file makes Pillow raise almost anything
        raise Skipped("pixels of a kind that cannot be read" if "pixel mode" in str(error) else "damaged") from error


def decode_image(data: bytes, header: Header) -> Image:
    """Return the pixels of an image file as RGB, upright.

    Parameters
    ----------
    data
        The file.
    header
        What `read_header` gave for it.

    Raises
    ------
    Skipped
        When the file is damaged, cut short, or in a colour mode without a known black and white.

    Cost
    ----
    Decoding releases the interpreter lock, and takes `Header.peak_bytes` of memory.
    """
    if header.picture is not None:
        return _decode_with_pillow(header.picture)
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    except cv2.error as error:
        raise Skipped("damaged") from error
    if pixels is None:
        raise Skipped("damaged")
    if not pixels.any():
        _refuse_bytes_in_16_bits(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED))
    return pixels


def _refuse_bytes_in_16_bits(values: np.ndarray | None) -> None:
    # The upper 8 bits, which are kept, are all empty: the picture would be black.
    if values is not None and values.dtype == np.uint16 and 0 < values.max() <= np.iinfo(np.uint8).max:
        raise Skipped("values up to 255 in 16 bits: save it in 8 bits")


def _decode_with_pillow(opened: ImageFile) -> Image:
    try:
        opened.load()
        return _to_rgb(ImageOps.exif_transpose(opened), *_tiff_scale(opened))
    except Skipped:
        raise
    except Exception as error:  # as in _open
        raise Skipped("truncated" if "truncated" in str(error) else "damaged") from error


def _tiff_scale(opened: ImageFile) -> tuple[int, bool]:
    """Return how many bits a TIFF has a channel, and whether 0 is white; 16 and not for all else."""
    if not isinstance(opened, TiffImagePlugin.TiffImageFile):
        return 16, False
    return max(opened.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, (1,))), opened.tag_v2.get(_PHOTOMETRIC) == 0


def _to_rgb(picture: Pillow.Image, n_bits: int, is_white_zero: bool) -> Image:
    if picture.mode.startswith("I;16"):
        return pixels_to_rgb(_grey_of_16_bits(picture, n_bits, is_white_zero=is_white_zero))
    if picture.mode in ("I", "F"):
        raise Skipped("pixels of 32 bits, whose white is unknown")
    if picture.has_transparency_data:
        overlay = picture.convert("RGBA")
        picture = Pillow.new("RGB", overlay.size, "white")
        picture.paste(overlay, mask=overlay.getchannel("A"))
    return np.asarray(picture.convert("RGB"))


def _grey_of_16_bits(picture: Pillow.Image, n_bits: int, *, is_white_zero: bool) -> np.ndarray:
    # Pillow hands such pixels over as the file has them: their last bits empty, 0 white, one value transparent.
    values = np.asarray(picture)
    if n_bits == 2 * _DEPTH:
        _refuse_bytes_in_16_bits(values)
    grey = (values >> (n_bits - 8)).astype(np.uint8)
    if is_white_zero:
        grey = 255 - grey
    if (transparent := picture.info.get("transparency")) is not None:
        grey[values == transparent] = 255
    return grey
