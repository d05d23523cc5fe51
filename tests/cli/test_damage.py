"""Random damage to the files of a finished study: told in one line, mended, or without effect; never other numbers."""

import random
import shutil

import pytest

from cli.test_used_folders import STUDY

N_DAMAGES = 150
JUNK = (
    b"",
    b"{}",
    b"[]",
    b"null",
    b'{"format":2,"steps":{}}',
    b'{"version":1,"result":3}',
    b"[[[[",
    b"x = []",
    b"\0" * 300,
)
TIMES = {"elapsed_seconds", "images_per_second", "images_held", "out", "report", "source", "notes"}


def flipped(content, chance):
    place = chance.randrange(len(content))
    return content[:place] + bytes([content[place] ^ 1 << chance.randrange(8)]) + content[place + 1 :]


def blanked(content, chance):
    place = chance.randrange(len(content))
    return (content[:place] + bytes(64) + content[place + 64 :])[: len(content)]


def other_digit(content, chance):
    places = [place for place, letter in enumerate(content) if chr(letter).isdigit()]
    if not places:
        return content
    place = chance.choice(places)
    digit = (content[place] - 48 + chance.randrange(1, 10)) % 10 + 48
    return content[:place] + bytes([digit]) + content[place + 1 :]


DAMAGES = (
    flipped,
    flipped,
    other_digit,
    blanked,
    lambda content, chance: content[: chance.randrange(len(content))],
    lambda _, chance: chance.choice(JUNK),
    lambda *_: None,
)


def plain(document):
    """Return a document without what may differ between two equal calls."""
    if isinstance(document, dict):
        return {key: plain(value) for key, value in document.items() if key not in TIMES}
    return [plain(value) for value in document] if isinstance(document, list) else document


def agrees(found, good, is_told=False):
    """Return whether two documents tell the same, except for what the first one lacks and says so."""
    if not (isinstance(found, dict) and isinstance(good, dict)):
        return found == good or (found is None and is_told)
    is_told = is_told or bool(found.get("unfinished"))
    keys = good.keys() - {"unfinished"}
    return all(agrees(found[key], good[key], is_told) if key in found else is_told for key in keys)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("damage")
    (folder / "tiny.toml").write_text(STUDY.replace('only = ["radius", "maps"]', 'only = ["radius", "copies", "maps"]'))
    return folder


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_no_damage_gives_other_numbers_or_a_traceback(zspace, finished):
    study, whole, out = finished / "tiny.toml", finished / "whole", finished / "out"
    assert zspace("study", study, "--out", whole).code == 0
    changed = ("--set", "generate.n_scored=9", "--set", "measure.radius_bins=[0.7]")
    quick = ("--only", "radius", "copies", "--maps", "pca", "--set", "n_null_clouds=2")
    calls = {
        "report": ("report", out, "--json"),
        "measure": ("measure", out / "runs" / "vae", "--out", finished / "measured", "--json", *quick),
        "study": ("study", study, "--out", out, "--json", *changed),
    }

    def call(verb, damage=lambda: None):
        shutil.rmtree(out, ignore_errors=True)
        shutil.rmtree(finished / "measured", ignore_errors=True)
        shutil.copytree(whole, out)
        (out / "report.html").unlink()
        damage()
        return zspace(*calls[verb])

    good = {verb: plain(call(verb).document) for verb in calls}
    files = sorted(
        path.relative_to(whole)
        for path in whole.rglob("*")
        if path.is_file() and path.suffix not in (".svg", ".html") and path.name != ".lock"
    )
    chance = random.Random(1)
    for _ in range(N_DAMAGES):
        file, damage, verb = chance.choice(files), chance.choice(DAMAGES), chance.choice(list(calls))

        def take(file=file, damage=damage):
            content = damage((out / file).read_bytes(), chance)
            (out / file).unlink() if content is None else (out / file).write_bytes(content)

        outcome, what = call(verb, take), (verb, str(file), damage)
        if outcome.code:
            assert outcome.code in (2, 3, 4, 5, 6), (what, outcome)
            assert outcome.document["message"].count("\n") == 0, (what, outcome)
        else:
            assert agrees(plain(outcome.document), good[verb]), what
