import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from zspace.images.candidates import Skipped, image_suffixes
from zspace.images.decoding import decode_image, read_header

LOSSLESS = [("PNG", {}), ("BMP", {}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"}), ("WEBP", {"lossless": True})]
LOSSY = [("JPEG", {"quality": 95}), ("JPEG", {"quality": 95, "progressive": True}), ("WEBP", {"quality": 95})]


def decode(data: bytes, max_megapixels: float = 1.0) -> np.ndarray:
    return decode_image(data, read_header(data, max_megapixels))


def saved(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize(("kind", "options"), LOSSLESS)
def test_lossless_formats_give_every_pixel_in_rgb(encoded, picture, kind, options):
    pixels = picture(1, 30, 50)
    data = encoded(pixels, kind, **options)
    np.testing.assert_array_equal(decode(data), pixels)
    header = read_header(data, 1)
    assert (header.width, header.height) == (50, 30)


@pytest.mark.parametrize(("kind", "options"), LOSSY)
def test_lossy_formats_come_close(encoded, picture, kind, options):
    pixels = picture(2, 30, 50)
    assert np.abs(decode(encoded(pixels, kind, **options)).astype(int) - pixels).max() <= 6


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "TIFF"])
def test_grey_gives_three_equal_channels(encoded, picture, kind):
    grey = picture(3)[..., 0]
    pixels = decode(encoded(grey, kind))
    assert (pixels == pixels[..., :1]).all()
    assert np.abs(pixels[..., 0].astype(int) - grey).max() <= 3


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_orientations_come_out_upright(kind, orientation):
    upright = np.zeros((32, 48, 3), np.uint8)
    upright[:16, :16] = 200, 40, 40
    upright[:16, 32:] = 40, 200, 40
    upright[16:, :16] = 40, 40, 200
    turns = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: upright.transpose(1, 0, 2)[::-1],
        7: upright.transpose(1, 0, 2)[::-1, ::-1],
        8: upright.transpose(1, 0, 2)[:, ::-1],
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    lossless = {"lossless": True} if kind == "WEBP" else {"quality": 100, "subsampling": 0} if kind == "JPEG" else {}
    data = saved(Image.fromarray(np.ascontiguousarray(turns[orientation])), kind, exif=exif, **lossless)
    pixels = decode(data)
    assert pixels.shape == upright.shape
    assert np.abs(pixels.astype(int) - upright).max() <= 3


def test_cmyk_becomes_rgb(picture):
    cmyk = Image.fromarray(picture(4)).convert("CMYK")
    pixels = decode(saved(cmyk, "JPEG", quality=95))
    assert np.abs(pixels.astype(int) - np.asarray(cmyk.convert("RGB"))).max() <= 8


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_grey_keeps_the_upper_8(kind):
    deep = (np.arange(40 * 40, dtype=np.uint16).reshape(40, 40) * 40 + 255).astype(np.uint16)
    np.testing.assert_array_equal(decode(saved(Image.fromarray(deep), kind))[..., 0], deep >> 8)


@pytest.mark.parametrize("ending", [".png", ".tiff"])
def test_16_bit_colour_keeps_the_upper_8(ending):
    deep = np.random.default_rng(5).integers(0, 65536, (40, 40, 3), dtype=np.uint16)
    data = cv2.imencode(ending, deep[..., ::-1])[1].tobytes()
    np.testing.assert_array_equal(decode(data), deep >> 8)


@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("WEBP", {"lossless": True, "exact": True}), ("TIFF", {})])
def test_transparency_is_laid_over_white(picture, kind, options):
    alpha = np.tile(np.array([0, 128, 255, 255], np.uint8), (40, 10))
    data = saved(Image.fromarray(np.dstack([picture(6), alpha])), kind, **options)
    share = alpha[..., None] / 255
    np.testing.assert_allclose(decode(data), picture(6) * share + 255 * (1 - share), atol=1)


def test_grey_with_transparency_is_laid_over_white(picture):
    grey = Image.fromarray(picture(6)[..., 0]).convert("LA")
    grey.putalpha(0)
    assert (decode(saved(grey, "PNG")) == 255).all()


def test_a_transparent_colour_of_a_plain_png_is_white(picture):
    pixels = picture(7)
    data = saved(Image.fromarray(pixels), "PNG", transparency=tuple(pixels[0, 0].tolist()))
    assert (decode(data)[0, 0] == 255).all()


def test_palettes_and_single_bits_become_their_colours(picture):
    palette = Image.fromarray(picture(8)).quantize(16)
    np.testing.assert_array_equal(decode(saved(palette, "PNG")), np.asarray(palette.convert("RGB")))
    bits = Image.fromarray(picture(8)).convert("1")
    for kind in ("PNG", "TIFF", "BMP"):
        np.testing.assert_array_equal(decode(saved(bits, kind)), np.asarray(bits.convert("RGB")))


def test_the_first_of_several_frames_is_taken(picture):
    frames = [Image.fromarray(picture(seed)) for seed in (9, 10)]
    for kind, options in (("TIFF", {}), ("WEBP", {"lossless": True})):
        data = saved(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        np.testing.assert_array_equal(decode(data), picture(9))


@pytest.mark.parametrize("mode", ["I", "F"])
def test_pixels_of_32_bits_are_skipped(mode):
    with pytest.raises(Skipped, match="pixels of 32 bits, whose white is unknown"):
        decode(saved(Image.new(mode, (20, 20)), "TIFF"))


def test_an_empty_file_is_skipped():
    with pytest.raises(Skipped, match="empty file"):
        decode(b"")


@pytest.mark.parametrize("data", [b"GIF89a....", b"<html>not found</html>", b"RIFF\x04\0\0\0WAVE", b"\0" * 100])
def test_other_content_is_skipped_whatever_its_name(data):
    with pytest.raises(Skipped, match="not a JPEG, PNG, WebP, BMP or TIFF file"):
        decode(data)


@pytest.mark.parametrize(("kind", "options"), LOSSLESS + LOSSY)
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.97])
def test_files_cut_short_are_skipped(kind, options, share):
    noise = np.random.default_rng(11).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    data = saved(Image.fromarray(noise), kind, **options)
    with pytest.raises(Skipped, match=r"truncated|damaged|not a JPEG"):
        decode(data[: int(len(data) * share)])


def test_a_jpeg_cut_short_after_its_thumbnail_is_skipped(encoded, picture):
    data = encoded(picture(12, 64, 64), "JPEG")
    thumbnail = encoded(picture(12, 16, 16), "JPEG")
    segment = b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    whole = data[:2] + segment + data[2:]
    assert decode(whole).shape == (64, 64, 3)
    with pytest.raises(Skipped, match="truncated"):
        decode(whole[:-40])


def test_a_jpeg_whose_rest_is_zeros_is_truncated(encoded, picture):
    data = encoded(picture(13, 64, 64), "JPEG")
    with pytest.raises(Skipped, match="truncated"):
        decode(data[:-40] + bytes(40))


def test_a_png_whose_chunk_claims_gigabytes_is_skipped_unread(encoded, picture):
    data = bytearray(encoded(picture(14)))
    place = data.index(b"IDAT") - 4
    data[place : place + 4] = struct.pack(">I", 1 << 30)
    with pytest.raises(Skipped, match="truncated"):
        read_header(bytes(data), 1)


def test_bytes_after_the_end_of_a_jpeg_do_no_harm(encoded, picture):
    data = encoded(picture(14), "JPEG")
    np.testing.assert_array_equal(decode(data + b"trailer" * 99), decode(data))


@pytest.mark.parametrize(("kind", "options"), LOSSLESS + LOSSY)
def test_no_damage_raises_anything_but_skipped(encoded, picture, kind, options, capfd):
    data = encoded(picture(15, 24, 24), kind, **options)
    rng = np.random.default_rng(16)
    for _ in range(60):
        damaged = bytearray(data)
        for place in rng.integers(2, len(data), 3):
            damaged[place] = rng.integers(256)
        assert reason_of(bytes(damaged)) in KNOWN_REASONS
    capfd.readouterr()  # libjpeg and libpng talk


def reason_of(data: bytes) -> str:
    try:
        decode(data)
    except Skipped as skipped:
        return skipped.reason
    return "none"


KNOWN_REASONS = {
    "none",
    "truncated",
    "damaged",
    "more than 1 megapixels",
    "not a JPEG, PNG, WebP, BMP or TIFF file",
    "pixels of 32 bits, whose white is unknown",
    "pixels of a kind that cannot be read",
    "a JPEG of 12 bits",
}


def png_bomb(side: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    empty = zlib.compress(b"")
    body = struct.pack(">I", len(empty)) + b"IDAT" + empty + struct.pack(">I", zlib.crc32(b"IDAT" + empty))
    return b"\x89PNG\r\n\x1a\n" + chunk + body + b"\0\0\0\0IEND\xaeB`\x82"


def jpeg_bomb(encoded, picture) -> bytes:
    data = bytearray(encoded(picture(17), "JPEG"))
    place = data.index(b"\xff\xc0")
    data[place + 5 : place + 9] = struct.pack(">HH", 65000, 65000)
    return bytes(data)


def test_a_decompression_bomb_is_skipped_by_its_header(encoded, picture):
    for bomb in (png_bomb(60000), jpeg_bomb(encoded, picture)):
        with pytest.raises(Skipped, match="more than 100 megapixels"):
            read_header(bomb, 100)


def test_room_is_asked_for_by_how_a_file_is_decoded(encoded, picture):
    pixels = picture(18, 100, 100)
    assert read_header(encoded(pixels, "JPEG"), 1).peak_bytes == 60_000
    assert read_header(encoded(pixels, "TIFF"), 1).peak_bytes == 120_000


def test_the_limit_is_in_millions_of_pixels(encoded, picture):
    data = encoded(picture(18, 100, 100))
    assert read_header(data, 0.01).n_pixels == 10_000
    with pytest.raises(Skipped, match=r"more than 0\.0099 megapixels"):
        read_header(data, 0.0099)


# --- Depths and transparencies that libraries hand over as the file has them ------------------------------------------


RAMP = np.broadcast_to(np.arange(32) * 8, (32, 32))


def tiff_of(n_bits: int, values: np.ndarray, *, is_white_zero: bool, order: str) -> bytes:
    """A TIFF of one uncompressed strip of grey."""
    bits = "".join(f"{value:0{n_bits}b}" for value in values.ravel().tolist())
    data = int(bits, 2).to_bytes(len(bits) // 8)
    if n_bits == 16 and order == "<":
        data = np.frombuffer(data, ">u2").astype("<u2").tobytes()
    tags = [(256, 32), (257, 32), (258, n_bits), (259, 1), (262, int(not is_white_zero)), (273, 8), (277, 1), (278, 32)]
    tags = [(tag, 3, struct.pack(order + "HH", value, 0)) for tag, value in tags]
    tags.append((279, 4, struct.pack(order + "I", len(data))))
    directory = b"".join(struct.pack(order + "HHI", tag, kind, 1) + value for tag, kind, value in tags)
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8 + len(data))
    return start + data + struct.pack(order + "H", len(tags)) + directory + bytes(4)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("is_white_zero", [False, True])
@pytest.mark.parametrize("n_bits", [1, 2, 4, 8, 12, 16])
def test_a_grey_tiff_of_any_depth_and_sense_is_right_or_skipped(n_bits, is_white_zero, order):
    most = 2**n_bits - 1
    values = (np.random.default_rng(7).integers(0, 256, (32, 32)) * most + 127) // 255
    data = tiff_of(n_bits, most - values if is_white_zero else values, is_white_zero=is_white_zero, order=order)
    reason = reason_of(data)
    assert reason == "none" or n_bits == 12 or (n_bits == 16 and is_white_zero and order == ">")
    if reason == "none":
        shown = decode(data)[..., 0].astype(int)
        assert np.abs(shown - np.rint(values * 255 / most)).max() <= 1
    else:
        assert reason == "pixels of a kind that cannot be read"


def test_a_tiff_of_12_bits_is_not_black():
    values = RAMP * 16
    pixels = decode(tiff_of(12, values, is_white_zero=False, order="<"))
    np.testing.assert_array_equal(pixels[..., 0], RAMP)


def png_of(depth: int, colour: int, rows: list[bytes], transparent: bytes) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 32, 32, depth, colour, 0, 0, 0)) + chunk(b"tRNS", transparent)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_the_transparent_grey_of_a_png_is_white_at_any_depth(depth):
    most = 2**depth - 1
    values = np.arange(32) * (most // 31 if depth > 4 else 1) & most
    bits = "".join(f"{value:0{depth}b}" for value in values.tolist())
    row = int(bits, 2).to_bytes(4 * depth)
    transparent = int(values[1])
    shown = values >> 8 if depth == 16 else values * 255 // most
    shown[values == transparent] = 255
    pixels = decode(png_of(depth, 0, [row] * 32, struct.pack(">H", transparent)))
    np.testing.assert_array_equal(pixels[5, :, 0], shown)


def test_a_transparent_colour_of_16_bits_is_skipped_and_one_of_8_is_white():
    row = (b"\x12\x34" + bytes(4)) * 16 + (bytes(4) + b"\xff\xff") * 16
    assert reason_of(png_of(16, 2, [row] * 32, b"\x12\x34" + bytes(4))) == "one colour of 16 bits is transparent"
    row = (b"\x12" + bytes(2)) * 16 + (bytes(2) + b"\xff") * 16
    pixels = decode(png_of(8, 2, [row] * 32, b"\0\x12" + bytes(4)))
    assert pixels[3, 0].tolist() == [255, 255, 255]
    assert pixels[3, 31].tolist() == [0, 0, 255]


# --- What every decoder reads -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("stray", [b"\0\0\0", b"\x01", b"stray", b"\xff\0", b"\xff\0ab", b"\xff\xff", b"\xff\xd0"])
@pytest.mark.parametrize("place", ["second", "last", "end mark", "end"])
def test_a_jpeg_with_stray_bytes_is_read_like_one_without(encoded, picture, stray, place, capfd):
    data = encoded(picture(20, 32, 48), "JPEG", quality=95)
    second = 4 + int.from_bytes(data[4:6])
    at = {"second": second, "last": data.index(b"\xff\xda"), "end mark": len(data) - 2, "end": len(data)}[place]
    np.testing.assert_array_equal(decode(data[:at] + stray + data[at:]), decode(data))
    capfd.readouterr()  # libjpeg mutters


def test_single_bits_and_palettes_become_the_colours_they_mean():
    mask = np.arange(32 * 32).reshape(32, 32) % 3 == 0
    np.testing.assert_array_equal(decode(saved(Image.fromarray(mask), "PNG"))[..., 0], mask * 255)
    palette = Image.fromarray(mask.astype(np.uint8), "P")
    palette.putpalette([10, 20, 30, 240, 230, 220])
    expected = np.where(mask[..., None], [240, 230, 220], [10, 20, 30])
    np.testing.assert_array_equal(decode(saved(palette, "PNG")), expected)


def test_avif_is_read_where_pillow_can_and_other_pictures_of_its_family_are_named(picture):
    heic = b"\0\0\0\x18ftypheic" + bytes(40)
    assert reason_of(heic) in ("not a JPEG, PNG, WebP, BMP or TIFF file", "damaged")
    if ".avif" in image_suffixes():
        pixels = decode(saved(Image.fromarray(picture(1)), "AVIF", quality=95))
        assert np.abs(pixels.astype(int) - picture(1)).max() <= 6


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_bytes_in_16_bits_are_not_made_black(encoded, kind):
    data = encoded(np.arange(256, dtype=np.uint16).reshape(16, 16), kind)
    with pytest.raises(Skipped, match="values up to 255 in 16 bits: save it in 8 bits"):
        decode_image(data, read_header(data, 1))
    black = encoded(np.zeros((16, 16), np.uint16), kind)
    assert not decode_image(black, read_header(black, 1)).any()
