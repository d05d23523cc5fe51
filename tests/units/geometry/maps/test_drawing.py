"""Maps: sizes, seeds, scores, and what is refused."""

import builtins

import numpy as np
import pytest

from zspace.errors import SettingOutOfRange, TooFewPoints, UnknownSetting
from zspace.geometry.clouds import Cloud
from zspace.geometry.maps.drawing import NAMED_MAPS, distinct_maps, draw_map, map_title, parse_maps
from zspace.geometry.maps.methods import check_methods
from zspace.geometry.maps.scores import neighbor_agreement, neighbor_scores
from zspace.geometry.truths import constant_points, standard_normal_points
from zspace.seeds import random_stream
from zspace.settings import MapSettings

SMALL = MapSettings(n_points=150, perplexity=10, n_iterations=40, n_neighbors=5, n_scored=60, null_twin=False)


def two_heaps(n_points=200, z_dim=6, seed=1):
    points = standard_normal_points(n_points, z_dim, seed)
    points[::2, 0] += 30
    return points


def asked(**changes):
    return MapSettings(**{**vars(SMALL), **changes})


def test_the_posts_settings_are_there():
    posts = parse_maps(("posts",))
    plain, fine = posts["tsne"], posts["tsne:perplexity=10,exaggeration=16"]
    assert (plain.n_points, plain.exaggeration, plain.perplexity, plain.n_iterations) == (20_000, 12, 30, 1000)
    assert (fine.n_points, fine.exaggeration, fine.perplexity, fine.n_iterations) == (20_000, 16, 10, 1000)
    assert [posts[f"tsne:n_components={n}"].n_components for n in (2, 4, 10)] == [2, 4, 10]
    assert posts["tsne:n_points=0,null_twin=false"].n_points == 0


def test_names_of_several_maps_stand_among_single_ones():
    assert list(parse_maps(("pca", "quick", "none", "pca"))) == ["pca", "tsne:n_points=5000"]
    assert parse_maps(NAMED_MAPS["none"]) == {}


@pytest.mark.parametrize(
    ("specification", "message"),
    [
        ("tnse", r"measure\.maps: must name maps, got 'tnse'\. Did you mean 'tsne' or 'none'\?"),
        ("tsne:perplexity=0.5", r"measure\.maps 'tsne:perplexity=0\.5'\.perplexity: must be at least 1, got 0\.5"),
        ("tsne:perplexty=5", r"perplexty: must be a known key, got 'perplexty'\. Did you mean 'perplexity'\?"),
        ("tsne:5", r"must be METHOD or METHOD:KEY=VALUE,KEY=VALUE, got '5'\. Write for example"),
    ],
)
def test_a_map_that_cannot_be_meant_is_refused(specification, message):
    with pytest.raises((UnknownSetting, SettingOutOfRange), match=message):
        parse_maps((specification,))


def test_maps_that_come_to_the_same_are_drawn_once():
    asked = parse_maps(("tsne", "tsne:n_points=0,null_twin=false", "tsne:n_points=5000", "pca"))
    assert list(distinct_maps(asked, 4000)) == ["tsne", "pca"]
    assert list(distinct_maps(asked, 10_000)) == ["tsne", "tsne:n_points=5000", "pca"]
    assert list(distinct_maps(asked, 30_000)) == list(asked)


def test_titles_say_what_is_shown():
    assert map_title(MapSettings(method="pca"), 50) == "Principal components 1 and 2: 50 points"
    assert map_title(MapSettings(method="umap", perplexity=7), 50) == "UMAP of z, 7 neighbours: 50 points"


def test_a_map_says_which_rows_it_shows_and_where_it_was_judged():
    found, sheet = draw_map(Cloud(two_heaps()), "z", SMALL, 1)
    assert found.n_points == 150
    assert sheet.coordinates.shape == (150, 2)
    assert sheet.coordinates.dtype == np.float32
    assert len(sheet.rows) == 150
    assert (np.diff(sheet.rows) > 0).all()
    assert {key: len(values) for key, values in sheet.scores.items()} == {
        "trustworthiness": 60,
        "continuity": 60,
        "neighbors_preserved": 60,
        "reach": 60,
    }
    assert len(sheet.scored) == 60
    trust = found.estimates["trustworthiness"]
    assert trust.value == pytest.approx(sheet.scores["trustworthiness"].mean())
    assert (trust.n_given, trust.n_used, trust.level) == (200, 60, 0.95)
    assert trust.interval[0] < trust.value < trust.interval[1]
    assert trust.source.startswith("5 neighbours; Venna and Kaski 2001")
    assert sheet.null_coordinates is None
    assert found.null_estimates == {}


def test_the_attributes_that_neighbours_share_go_onto_the_sheet():
    points = two_heaps()
    random = random_stream(1, "test")
    heap = (np.arange(200) % 2).astype(np.float64)
    known = {"heap": heap, "noise": random.standard_normal(200), "constant": np.ones(200), "half known": heap.copy()}
    known["half known"][:100] = np.nan
    found, sheet = draw_map(Cloud(points), "z", asked(n_points=0, method="pca"), 1, known)
    assert next(iter(sheet.colors)) == "radius"
    assert set(sheet.colors) >= {"heap", "half known"}
    assert "constant" not in sheet.colors
    np.testing.assert_array_equal(sheet.colors["radius"], Cloud(points).radii)
    np.testing.assert_array_equal(sheet.colors["heap"], heap)
    assert found.shared["heap"].value == pytest.approx(1)
    if "noise" in found.shared:
        assert found.shared["noise"].value < 0.3


def test_a_map_is_coloured_by_the_attributes_that_are_asked_for():
    known = {name: random_stream(1, name).standard_normal(200) for name in ("hair", "eyes")}
    found, sheet = draw_map(Cloud(two_heaps()), "z", asked(method="pca"), 1, known, ("hair",))
    assert list(sheet.colors) == ["radius", "hair"]
    assert list(found.shared) == ["hair"]
    message = r"measure\.map_attributes: must name attributes of the images, got 'hat'\. Did you mean 'hair'\?"
    with pytest.raises(UnknownSetting, match=message):
        draw_map(Cloud(two_heaps()), "z", asked(method="pca"), 1, known, ("hat",))


def test_values_drawn_at_random_are_not_shared():
    scored = np.arange(500)
    random = random_stream(2, "test")
    found = [
        neighbor_agreement(random.standard_normal(500), scored, random.integers(500, size=(500, 10))) for _ in range(20)
    ]
    assert abs(np.mean(found)) < 3 / np.sqrt(20 * 500)


@pytest.mark.parametrize("method", ["tsne", "pca"])
def test_the_same_seed_gives_the_same_map(method):
    cloud = Cloud(two_heaps())
    first, again, other = (draw_map(cloud, "z", asked(method=method, null_twin=True), seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(again[1].coordinates, first[1].coordinates)
    np.testing.assert_array_equal(again[1].null_coordinates, first[1].null_coordinates)
    assert again[0].estimates == first[0].estimates
    assert again[0].null_estimates == first[0].null_estimates
    assert not np.array_equal(other[1].rows, first[1].rows)


def test_all_points_are_taken_when_asked_or_when_there_are_fewer():
    cloud = Cloud(two_heaps(60))
    for n_points in (0, 60, 1000):
        found, sheet = draw_map(cloud, "z", asked(n_points=n_points, method="pca"), 1)
        assert sheet.rows.tolist() == list(range(60))
        assert found.estimates["continuity"].interval is None  # nothing was sampled


def test_separate_heaps_stay_separate_on_the_map():
    points = two_heaps()
    found, sheet = draw_map(Cloud(points), "z", asked(n_points=0, n_iterations=250, n_scored=200), 1)
    near = np.linalg.norm(sheet.coordinates[:, np.newaxis] - sheet.coordinates, axis=2)
    np.fill_diagonal(near, np.inf)
    assert (near.argmin(axis=1) % 2 == np.arange(200) % 2).all()
    assert found.estimates["trustworthiness"].value > 0.9


def test_the_map_of_two_components_sees_nothing_else():
    points = two_heaps(seed=3)
    points[:, 1] *= 10
    _, sheet = draw_map(Cloud(points), "z", asked(n_points=0, n_components=2, method="pca"), 1)
    scores = (points - points.mean(axis=0)) @ Cloud(points).principal[1][:, :2]
    np.testing.assert_allclose(sheet.coordinates, scores, atol=1e-4)


def test_a_line_is_mapped_too():
    found, sheet = draw_map(Cloud(standard_normal_points(80, 1, 1)), "z", asked(n_points=0, method="pca"), 1)
    assert sheet.coordinates.shape == (80, 2)
    assert (sheet.coordinates[:, 1] == 0).all()
    assert found.estimates["trustworthiness"].value == pytest.approx(1, abs=1e-6)


def test_equal_points_do_not_break_the_map():
    _, sheet = draw_map(Cloud(constant_points(80, np.array([1.0, 2.0, 3.0]))), "z", asked(n_points=0), 1)
    assert np.isfinite(sheet.coordinates).all()


def test_progress_counts_neighbours_iterations_and_judged_points():
    seen = []
    draw_map(Cloud(two_heaps()), "z", asked(null_twin=True), 1, watch=seen.append)
    steps = list(dict.fromkeys(progress.step for progress in seen))
    assert steps[:4] == ["neighbours", "t-SNE", "neighbours of the judged", "judging the map"]
    assert steps[4:] == [f"{step}, null twin" for step in steps[:4]]
    done = [progress.done for progress in seen if progress.step == "t-SNE"]
    assert done == sorted(done)
    assert done[-1] == 40


def test_too_few_points_for_the_perplexity_are_refused():
    message = r"map 'z': must have more than 30 z-points, three times the perplexity and twice .* got 25\. Encode more"
    with pytest.raises(TooFewPoints, match=message):
        draw_map(Cloud(two_heaps(25)), "z", SMALL, 1)
    draw_map(Cloud(two_heaps(25)), "z", asked(method="pca"), 1)


def test_umap_without_its_extra_says_how_to_get_it(monkeypatch):
    real = builtins.__import__

    def without_umap(name, *args, **kwargs):
        if name == "umap":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_umap)
    message = (
        r"map\.method: must be 'tsne' or 'pca' where the extra for UMAP is missing, got 'umap'\. "
        r"Install it with: pip install 'zspace\[umap\]'\."
    )
    with pytest.raises(SettingOutOfRange, match=message):
        draw_map(Cloud(two_heaps()), "z", asked(method="umap"), 1)
    with pytest.raises(SettingOutOfRange, match=message):
        check_methods(parse_maps(("pca", "umap")))
    check_methods(parse_maps(("pca", "tsne")))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_umap_with_its_extra_gives_the_same_map_again():
    pytest.importorskip("umap")
    cloud = Cloud(two_heaps())
    first, again = (draw_map(cloud, "z", asked(method="umap"), 1) for _ in range(2))
    np.testing.assert_array_equal(again[1].coordinates, first[1].coordinates)


def test_a_random_map_keeps_neighbours_no_more_often_than_chance():
    points = standard_normal_points(800, 6, 1)
    sheet = random_stream(1, "test").standard_normal((800, 2)).astype(np.float32)
    found = neighbor_scores(points, sheet, np.arange(800), 10)
    assert found.preserved.mean() == pytest.approx(10 / 799, abs=0.005)
    assert found.trustworthiness.mean() == pytest.approx(0.5, abs=0.02)
    assert found.continuity.mean() == pytest.approx(0.5, abs=0.02)


def test_an_exact_copy_of_the_plane_is_a_perfect_map():
    points = standard_normal_points(100, 2, 1)
    found = neighbor_scores(points, points * np.float32(3), np.arange(100), 5)
    assert found.trustworthiness.min() == found.continuity.min() == found.preserved.min() == 1
    distances = np.sort(np.linalg.norm(points[:, np.newaxis] - points, axis=2), axis=1)
    np.testing.assert_allclose(found.reach, distances[:, 5], rtol=1e-5)


def test_the_interval_covers_the_score_of_the_whole_map():
    cloud, n_covered = Cloud(standard_normal_points(400, 6, 1)), 0
    whole = draw_map(cloud, "whole", asked(n_points=0, method="pca", n_scored=400), 1)[0].estimates
    for seed in range(100):
        part = draw_map(cloud, "part", asked(n_points=0, method="pca", n_scored=60), seed)[0].estimates[
            "trustworthiness"
        ]
        n_covered += part.interval[0] <= whole["trustworthiness"].value <= part.interval[1]
    assert n_covered >= 86  # nominal 95; a binomial count is lower once in 10,000 times
