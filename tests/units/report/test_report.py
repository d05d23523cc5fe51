import base64
import hashlib
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

from zspace.figures import contact_sheet, figure_set
from zspace.report import render_report
from zspace.report.model_findings import findings_of
from zspace.report.posts import POSTS
from zspace.report.words import quantity_words
from zspace.results import Estimate, Measurement, StudyResults

VOID = {"meta", "img", "br", "link", "input", "hr"}


class Reader(HTMLParser):
    """Checks that every element is closed in order, and gathers ids, links, data values and text."""

    def __init__(self, page):
        super().__init__()
        self.open, self.ids, self.links, self.values, self.words, self.external = [], [], [], [], [], []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attributes:
            if name == "id":
                self.ids.append(value)
            if name == "href" and tag == "a":
                self.links.append(value)
            if name in ("src", "href", "xlink:href", "action", "poster") and not value.startswith(("#", "data:")):
                self.external.append(value)
        if tag == "data":
            self.values.append(dict(attributes)["value"])

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def read(page):
    return Reader(page)


def with_models(study, **models):
    return replace(study, results=StudyResults(study.results.images, {**study.results.models, **models}))


def with_measurement(study, measurement):
    found = study.results.models["ae"]
    return with_models(study, ae=replace(found, measurements={measurement.name: measurement}))


def test_the_page_is_well_formed_and_every_anchor_leads_somewhere(read):
    assert len(read.ids) == len(set(read.ids))
    assert {link[1:] for link in read.links} <= set(read.ids)


def test_nothing_is_fetched_from_anywhere(page, read):
    assert read.external == []
    addresses = set(re.findall(r"https?://[\w./-]+", page))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "@import" not in page
    assert not re.search(r"url\((?!['\"]?#)", page)


def test_the_policy_forbids_network_and_names_the_script(page):
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1]
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert "default-src 'none'" in policy
    assert f"'sha256-{digest}'" in unescape(policy)


def test_equal_records_give_equal_bytes(study, page):
    assert render_report(study).page == page


def text_of(html):
    return " ".join(unescape(re.sub(r"<[^>]+>", "", html)).split())


def test_every_figure_has_its_title_and_table_and_is_explained_in_its_section(study, page):
    for measurement in study.results.models["ae"].measurements.values():
        section = page[page.index(f'<section id="m0-ae-{measurement.name}"') :].partition("</section>")[0]
        for row in figure_set(measurement).rows(measurement):
            plate = section[section.index(f'id="m0-ae-{measurement.name}-{row.key}"') :].partition("</figure>")[0]
            assert row.title in plate
            assert "<svg " in plate
            assert plate.count("<details>") == len(row.curves)
            for sentence in re.split(r"(?<=[.!?]) (?=[A-Z])", row.caption):
                assert text_of(section).count(sentence) == 1


def test_a_figure_of_the_second_model_is_not_explained_again(synthetic):
    page = render_report(synthetic.study(("one", "two"), n_points=200, z_dim=24)).page
    assert text_of(page).count("A hollow centre is no void") == 1
    assert text_of(page).count("Variance of the cloud along each of its principal axes") == 1


def test_every_section_answers_its_question_in_one_sentence(study, page):
    for finding in findings_of(study.results.models["ae"]):
        section = page[page.index(f'<section id="m0-ae-{finding.section}"') :].partition("</section>")[0]
        assert finding.sentence in text_of(section)
        assert finding.sentence in text_of(page[: page.index('<section id="data"')])


def test_a_model_that_has_not_learned_is_told_in_red_before_anything_else(synthetic, study):
    found = replace(study.results.models["ae"], generation=synthetic.generation(synthetic.learning(explained=0.0)))
    page = render_report(with_models(study, ae=found)).page
    alarm = page[page.index('<p class="alarm"') :].partition("</p>")[0]
    assert "It has not learned to draw" in text_of(alarm)
    assert page.index('<p class="alarm"') < page.index('<div class="findings">')
    first_screen = text_of(page[page.index('<div class="findings">') : page.index('<section id="data"')])
    assert "97.3" not in first_screen
    assert "Faces and spread, of a model that is not known to have learned to draw" in text_of(page)


def test_a_model_that_has_learned_raises_no_alarm(page):
    assert '<p class="alarm"' not in page


def test_what_is_not_finished_says_why(study):
    whole = study.results.models["ae"]
    reasons = {"measure": "z-points are missing", "generate": "interrupted"}
    part = replace(whole, encoding=None, measurements=None, generation=None, maps={}, cloud=None, unfinished=reasons)
    read = Reader(render_report(replace(with_models(study, ae=part), pictures={}, sheets={})).page)
    assert "Not finished: z-points are missing" in read.text
    assert "Not finished: interrupted" in read.text
    assert "Cannot tell whether it has learned to draw: interrupted." in read.text
    assert {link[1:] for link in read.links} <= set(read.ids)


def test_without_comparison_the_page_speaks_of_no_posts(study):
    plan = replace(study.plan, settings=replace(study.plan.settings, compare_with_posts=False))
    text = Reader(render_report(replace(study, plan=plan)).page).text
    assert "n the posts" not in text
    assert "Tensorflow" not in text


def test_the_posts_are_named(read):
    assert "“Autoencoders, latent space and the curse of high dimensionality”, part II" in read.text
    assert "“Variational Autoencoder with Tensorflow 2.8”, parts XII and XIII" in read.text


def test_notes_that_rows_share_are_told_once(page):
    table = page[page.index('aria-label="Density over the radius: all numbers"') :].partition("</ol>")[0]
    assert text_of(table).count("Null band of the") == 1 or "<sup>" in table
    assert text_of(table).count("L2 norm of every z-point.") == 1


def test_every_number_of_the_records_can_be_read_back(study, read):
    written = {float(value) for value in read.values}
    found = study.results.models["ae"]
    estimates = [e for m in found.measurements.values() for e in m.estimates.values()]
    estimates += [score.face_rate for score in found.generation.scores]
    for estimate in estimates:
        assert estimate.value is None or estimate.value in written
        assert estimate.n_used in written
    images, training = study.results.images, found.training
    assert {images.n_files, images.n_images, images.n_skipped, images.n_duplicates} <= written
    assert {images.splits.train, images.splits.validation, images.splits.test} <= written
    assert {training.encoder_parameters, training.decoder_parameters, training.images_per_second} <= written
    for record in training.history:
        assert {record.training_loss, record.validation_loss, record.training_loss / training.n_pixels} <= written


def test_estimates_show_interval_level_null_band_p_warnings_and_source(study, page, read):
    for estimate in study.results.models["ae"].measurements["radius"].estimates.values():
        for part in (
            estimate.interval_method,
            estimate.comparison and estimate.comparison.null,
            estimate.source,
            *estimate.warnings,
        ):
            assert part is None or part in read.text
    row = page[page.index('data-key="mean_radius"') :].partition("</tr>")[0]
    assert "95 %, normal" in row
    assert re.search(r'class="verdict (inside|above|below)"', row)
    assert "<small>95 % of 39 draws</small>" in row
    assert "Assumes that points are independent." in row
    assert ">0.050</data>" in page


def test_the_numbers_of_a_histogram_are_its_records(study, page):
    curve = study.results.models["ae"].measurements["radius"].curves["bin 0.5"]
    table = page[page.index("Numbers of bin 0.5") :].partition("</tbody>")[0]
    rows = [re.findall(r"<td>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", table)[1:]]
    columns = np.array([[float(cell.replace(",", "")) for cell in row[:5]] for row in rows]).T
    expected = [curve.x[:-1], curve.x[1:], curve.y[0], curve.null_low[0], curve.null_high[0]]
    assert np.allclose(columns, expected)


def test_large_curves_are_given_whole_as_csv(synthetic, study):
    found = synthetic.axes(synthetic.cloud(200, 80), 80)
    page = render_report(with_measurement(study, found)).page
    section = page[page.index('<section id="m0-ae-axes"') :]
    head, *rows = unescape(re.search(r'<pre class="csv"[^>]*>(.*?)</pre>', section, re.DOTALL)[1]).splitlines()
    values = np.array([[float(cell) for cell in row.split(",")] for row in rows])
    assert head.endswith('"axis 79","axis 79 law"')
    assert (found.curves["density"].y == values[:, 2::2].T).all()


def test_unknown_numbers_say_why(study, read):
    assert "not known: the decoder gave pictures without any contrast" in read.text
    unknown = Estimate(None, "units of z", 3, 0, "R", reason="3 points are too few for a peak")
    page = render_report(with_measurement(study, Measurement("radius", {"mean_radius": unknown}, {}))).page
    assert page.count("not known: 3 points are too few for a peak") == 2


def test_a_new_measure_shows_up_by_itself(study):
    estimate = Estimate(22.5, "dimensions", 600, 590, "Facco et al. 2017")
    page = render_report(with_measurement(study, Measurement("two_nn", {"dimension": estimate}, {}))).page
    assert "<h3>Two nn</h3>" in page
    assert '<data value="22.5">22.5</data>' in page


def test_the_posts_stand_beside_the_study(study, read):
    for post in POSTS:
        if post.section in study.results.models["ae"].measurements and post.key != "largest_standard_deviation":
            assert post.value in read.text
            assert quantity_words(post.key) in read.text
    assert "4515 nats per image" in read.text
    assert read.text.count("no faces, judged by eye") == 3


def test_key_findings_come_from_the_records(read):
    findings = read.text[read.text.index("From one constant image to exact drawing 62.0 %") :]
    assert "Loss on validation images 4,608 nats per image 0.5000 per pixel, after epoch 12" in findings
    assert "97.3 % the best sampler: Gaussian with the cloud's mean and covariance" in findings


def test_without_any_face_rate_the_findings_say_why(study):
    found = study.results.models["ae"]
    blind = Estimate(None, "share of images", 9, 0, "cascade", reason="the detector misses the originals")
    scores = tuple(replace(score, face_rate=blind) for score in found.generation.scores)
    page = render_report(
        with_models(study, ae=replace(found, generation=replace(found.generation, scores=scores)))
    ).page
    text = Reader(page).text
    assert "The face detector does not apply here: the detector misses the originals." in text
    assert "Faces from random z-points" not in text


def test_nothing_trained_and_nothing_drawn_is_said_in_words(study):
    found = study.results.models["ae"]
    bare = replace(found, training=replace(found.training, history=()), generation=replace(found.generation, scores=()))
    text = text_of(render_report(replace(with_models(study, ae=bare), pictures={})).page)
    for words in ("No epoch was recorded", "No sampler was asked for", "No images were kept"):
        assert words in text


def test_hostile_names_are_only_text(synthetic, study):
    evil, name = "<script>alert('x')</script>\"&", "alert('x')&amp;"  # no name of a folder holds the signs of a tag
    images = replace(
        synthetic.packing(evil),
        skipped_reasons={evil: 1},
        duplicate_examples=((evil, evil),),
        attributes=(evil,),
    )
    named = replace(
        study,
        plan=synthetic.plan(name, evil, (name,)),
        results=StudyResults(images, {name: study.results.models["ae"]}),
        pictures={name: study.pictures["ae"]},
    )
    page = render_report(named).page
    assert page.count("<script>") == 1
    assert "alert('x')" not in page
    assert evil in Reader(page).text
    assert name in Reader(page).text


def test_several_models_get_sections_navigation_and_a_comparison(synthetic):
    study = synthetic.study(("vae 5", "vae+5"), n_points=200, z_dim=22)
    page = render_report(study).page
    read = Reader(page)
    assert len(read.ids) == len(set(read.ids))
    assert {"#m0-vae-5", "#m1-vae-5"} <= set(read.links)
    table = page[page.index('id="comparison"') :].partition("</table>")[0]
    assert re.findall(r'<th scope="col">(.*?)</th>', table) == ["", "vae 5", "vae+5"]
    for found in study.results.models.values():
        assert f'value="{found.measurements["radius"].estimates["mean_radius"].value!r}"' in table


def test_the_sheets_hold_the_pictures_pixel_by_pixel(study, page):
    place = page.index("generate.samplers = fitted-gaussian")
    sheet = page[place - 200_000 : place]
    data = re.findall(r"data:image/png;base64,([\w+/=]+)", sheet)[-1]
    pixels = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert (pixels == contact_sheet(study.pictures["ae"]["fitted-gaussian"], 8)).all()


def test_the_plan_shows_every_setting_with_its_origin(read):
    plan = read.text[read.text.index("Every setting of this study") :]
    assert "models.ae.training.precision auto derived this CPU multiplies bf16 fast" in plan
    assert "images.size 96 flag" in plan
    assert "models.ae.network.filters 32, 64, 128, 256 default" in plan
    assert "images.attributes not set default" in plan


def test_the_footer_tells_where_the_page_comes_from(read):
    assert "Made by zspace 0.1.0 on 2026-07-27 14:03 UTC from study celeba-ae with seed 1." in read.text


def test_a_report_of_the_posts_size_stays_small(synthetic, study):
    points = synthetic.cloud(400, 256)
    page = render_report(with_measurement(study, synthetic.axes(points, 256))).page
    assert len(page) < 2_000_000


def test_maps_stand_in_a_section_of_their_own_with_their_scores(study, page):
    read = Reader(page)
    assert {"m0-ae-maps", "m0-ae-maps-pca", "m0-ae-maps-pca-colors"} <= set(read.ids)
    maps = study.results.models["ae"].maps
    table = page[page.index('aria-label="Scores of the maps"') :].partition("</table>")[0]
    for found in maps.values():
        assert found.title in table
        assert f'value="{found.estimates["trustworthiness"].value!r}"' in table
    assert f'value="{maps["pca"].null_estimates["continuity"].value!r}"' in table
    assert "No null twin was drawn" in read.text


def test_a_map_that_could_not_be_drawn_says_why(study):
    reason = "map 'tsne' must have more than 90 z-points"
    missing = replace(
        study.results.models["ae"].maps["pca"],
        estimates={"trustworthiness": Estimate(None, "share", 50, 0, "", reason=reason)},
        null_estimates={},
        elapsed_seconds=None,
    )
    model = replace(study.results.models["ae"], maps={"tsne": missing})
    page = render_report(replace(with_models(study, ae=model), sheets={})).page
    assert reason in Reader(page).text
    assert "not drawn" in page


def test_components_are_shown_beside_their_spectrum(study, page):
    section = page[page.index('id="m0-ae-principal"') :].partition("</section>")[0]
    assert "Along the first principal components" in section
    assert "at -2, 0, +2 standard deviations" in section
    encoded = re.search(r'<img src="data:image/png;base64,([^"]+)"', section).group(1)
    pixels = cv2.imdecode(np.frombuffer(base64.b64decode(encoded), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert (pixels == contact_sheet(study.pictures["ae"]["components"], 3)).all()


def test_what_was_noticed_of_the_points_is_told(page):
    section = page[page.index('id="m0-ae-points"') :].partition("</section>")[0]
    assert "points that repeat another" in section
    assert "axes on which nothing varies" in section


def test_every_figure_of_the_page_is_a_file_too(study):
    rendered = render_report(study)
    figures = rendered.figures["ae"]
    assert {"losses", "rates", "radius-bin-0.5", "map-pca", "map-pca-colors"} <= set(figures)
    for document in figures.values():
        assert document.startswith("<?xml")
        assert document[document.index("<svg ") :] in rendered.page
