import cv2
import numpy as np

from zspace.figures.sheets import GUTTER, PAIR_GUTTER, contact_sheet, paired_sheet, to_png


def flat(n_images, height=4, width=6):
    """Images of one grey each: 1, 2, 3 ..."""
    return np.broadcast_to(
        np.arange(1, n_images + 1, dtype=np.uint8)[:, None, None, None], (n_images, height, width, 3)
    ).copy()


def test_images_lie_row_by_row_with_white_between():
    sheet = contact_sheet(flat(5), n_columns=3)
    assert sheet.shape == (2 * 4 + GUTTER, 3 * 6 + 2 * GUTTER, 3)
    starts = [(row * (4 + GUTTER), column * (6 + GUTTER)) for row in range(2) for column in range(3)]
    for grey, (top, left) in zip([1, 2, 3, 4, 5, 255], starts, strict=True):
        assert (sheet[top : top + 4, left : left + 6] == grey).all()
    assert (sheet[4 : 4 + GUTTER] == 255).all()
    assert (sheet[:, 6 : 6 + GUTTER] == 255).all()


def test_few_images_make_a_narrow_sheet():
    assert contact_sheet(flat(2), n_columns=8).shape == (4, 12 + GUTTER, 3)


def test_reconstructions_lie_under_their_originals():
    originals, reconstructions = flat(5), flat(5) + 100
    sheet = paired_sheet(originals, reconstructions, n_columns=3)
    pair = 2 * 4 + GUTTER
    assert sheet.shape[0] == 2 * pair + PAIR_GUTTER
    assert sheet[0, 0, 0] == 1
    assert sheet[4 + GUTTER, 0, 0] == 101
    assert sheet[pair + PAIR_GUTTER, 0, 0] == 4
    assert sheet[pair + PAIR_GUTTER + 4 + GUTTER, 0, 0] == 104


def test_png_keeps_every_pixel_and_colour():
    image = np.random.default_rng(0).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    read = cv2.imdecode(np.frombuffer(to_png(image), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert (read == image).all()
    assert to_png(image) == to_png(image)
