"""``zspace pack``: what it says at the end."""

import numpy as np
from PIL import Image


def test_what_was_left_out_is_on_the_screen_and_in_the_document(zspace, tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(10):
        pixels = np.random.default_rng(number).integers(0, 256, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
        (folder / f"{number}.XYZ").write_text("")
    outcome = zspace("pack", folder, "--out", tmp_path / "store", "--size", "32")
    assert outcome.code == 0, outcome.stderr
    assert "TIFF: 10 .xyz." in outcome.stdout
    outcome = zspace("pack", folder, "--out", tmp_path / "store", "--size", "32", "--json")
    assert "TIFF: 10 .xyz." in outcome.document["pack"]["notes"][0]


def test_a_ring_of_links_is_one_line_of_a_known_error(zspace, tmp_path):
    (tmp_path / "a.zip").symlink_to("a.zip")
    outcome = zspace("pack", tmp_path / "a.zip", "--out", tmp_path / "store")
    assert outcome.code == 3
    assert "a.zip', which does not exist" in outcome.stderr.replace("\n", " ")
    assert "Traceback" not in outcome.stderr
