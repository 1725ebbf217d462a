"""The page in a real browser: it sorts, filters, toggles, and asks the network for nothing."""

import re
import shutil
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from ablate.report.figures.charts import curve_panels, front
from ablate.report.folder import contents
from ablate.report.page import as_json, html_page, markdown
from ablate.report.prose import sections
from ablate.report.study import gather
from ablate.report.summary import summarize
from ablate.report.words import NONE
from ablate.store import write_trial
from tests.report.designs import write_design
from tests.report.test_designs import PLANS
from tests.store.synthetic import PROTOCOL, PROVENANCE, curves, metrics, status, trial, write_study

EVIL = "<img src=x onerror=alert(1)>"
VALUES = {
    "reference": [20.0, 22.0, 19.0, 25.0],
    "r1": [10.0, 11.5, 9.0, 12.9],
    "top_k": [30.0, 33.5, 29.0, 38.0],
    "weight_clip": [None, 22.5, 20.0, 25.0],
}
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def page_of(folder, **options):
    found = gather([folder], **options)
    return html_page(found, sections(found, ["curves.png", "samples.png"]))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("results") / "demo", VALUES)


@pytest.fixture(scope="module")
def html(study):
    return page_of(study)


@pytest.fixture(scope="module")
def browser():
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip("Chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def show(browser, tmp_path):
    """Open a page; at the end nothing may have been asked for or complained about."""
    complaints, context = [], browser.new_context()

    def opened(content):
        (tmp_path / "report.html").write_text(content, encoding="utf-8")
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.on("request", lambda one: asked.append(one.url))
        page.goto(f"file://{tmp_path}/report.html")
        page.wait_for_selector(".plot .main-svg")
        return page

    asked: list[str] = []
    yield opened
    context.close()
    assert complaints == [] and len(asked) == len([url for url in asked if "report.html" in url])


def column(page, place, table="#arms"):
    return page.locator(f"{table} tbody tr:visible > :nth-child({place})").all_inner_texts()


def test_a_heading_sorts_both_ways_by_mouse_and_by_keyboard(show, html):
    page = show(html)
    assert column(page, 1) == ["reference", "r1", "weight_clip", "top_k"]
    page.get_by_role("button", name="arm", exact=True).first.click()
    assert column(page, 1) == sorted(VALUES)
    mean = page.locator("#arms thead button").nth(1)
    mean.focus()
    page.keyboard.press("Enter")
    values = [float(text.split(" ")[0]) for text in column(page, 2)]
    assert values == sorted(values)
    page.keyboard.press("Space")
    assert column(page, 1)[0] == "top_k"
    assert page.locator("#arms th[aria-sort=descending]").count() == 1


def test_p_is_sorted_as_a_number_and_a_dash_comes_last(show, html):
    page = show(html)
    heading = page.locator("#arms thead button", has_text="Holm p")
    for _ in range(2):
        heading.click()
        assert column(page, 5)[-1] == NONE


def test_the_filter_finds_arms_and_verdicts(show, html):
    page = show(html)
    search = page.get_by_label("Filter: Arms against the reference")
    search.fill("TOP")
    assert column(page, 1) == ["top_k"]
    assert page.locator(".find [role=status]").first.inner_text() == "1 of 4 rows"
    search.fill("")
    page.get_by_label("Verdict").first.select_option("better")
    assert column(page, 1) == ["r1"]


def test_the_reference_and_the_surest_arm_open_and_the_others_are_a_key_away(show, html):
    page = show(html)
    names = (
        "() => document.querySelector('#curve-0').data.map((one) => one.meta)"
        ".filter(Number.isInteger)"
    )
    assert page.locator("#switches label:has(:checked)").all_inner_texts() == ["reference", "top_k"]
    assert page.evaluate(names) == [0, 3]
    page.get_by_role("checkbox", name="r1").focus()
    page.keyboard.press("Space")
    assert page.evaluate(names) == [0, 1, 3]
    for button, arms in (("All", [0, 1, 2, 3]), ("Reference and one", [0, 3]), ("None", [])):
        page.get_by_role("button", name=button, exact=True).click()
        assert page.evaluate(names) == arms
    assert page.locator("#shown").inner_text() == "0 of 4 arms"
    assert page.locator("table.samples tr:visible").count() == 4  # samples are of all arms


def test_a_number_leads_to_its_trials(show, html, study):
    page = show(html)
    page.locator("#arms tbody tr", has_text="weight_clip").locator("a").first.click()
    place = re.search(r"#(trials-\d)", page.url)[1]
    opened = page.locator(f"details:has(#{place})")
    ids = {path.name for path in (study / "trials").iterdir()}
    shown = opened.locator("tbody tr > :nth-child(2)").all_inner_texts()
    assert len(shown) == 4 and set(shown) <= ids
    assert "diverged: loss_d is nan" in opened.inner_text() and "22.5" in opened.inner_text()


def test_every_number_of_the_main_tables_leads_somewhere(browser, tmp_path):
    for name in ("full", "shapley", "ladder", "pairs"):
        plan, seeds, _ = PLANS[name]
        html = page_of(write_design(tmp_path / name, plan, seeds))
        leads = set(re.findall(r'href="#([^"]+)"', html))
        assert leads <= set(re.findall(r' id="([^"]+)"', html)), name


def test_figures_of_every_design_are_drawn(show, tmp_path):
    for name, drawn in (("full", "#interaction-0"), ("once", "#half-normal"), ("pairs", "#front")):
        plan, seeds, _ = PLANS[name]
        page = show(page_of(write_design(tmp_path / name, plan, seeds)))
        assert page.locator(f"{drawn} .trace").count() > 0


def test_everything_has_a_name_that_can_be_read_aloud(show, html):
    page = show(html)
    assert page.locator("html").get_attribute("lang") == "en" and page.title()
    assert page.locator("img:not([alt]), [role=img]:not([aria-label])").count() == 0
    assert page.locator("h1").count() == 1
    nameless = (
        "() => [...document.querySelectorAll('input, select, button')]"
        ".filter((one) => !(one.labels?.length || one.textContent.trim())).length"
    )
    assert page.evaluate(nameless) == 0


WIDE = {"x" * 70: [9.0, 9.5, 8.8, 9.9], "+".join(["spectral_norm"] * 6): [11.0, 12.0, 10.9, 13.0]}


@pytest.mark.parametrize("width", [700, 360])
def test_on_a_narrow_screen_only_tables_scroll_and_say_so(show, tmp_path, width):
    page = show(page_of(write_study(tmp_path / "r", VALUES | WIDE)))
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_selector(".scroller.moves.more:has(#arms)")
    for _ in range(50):  # the page's own rules let nobody wait inside it
        if page.evaluate("document.documentElement.scrollWidth") <= width:
            break
        page.wait_for_timeout(100)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(".hint:visible").count() > 0
    first, last = (page.locator(f"#arms tbody tr:nth-child(2) > :{end}-child").bounding_box
                   for end in ("first", "last"))  # fmt: skip
    before = first()
    assert before["width"] <= width / 2 and last()["x"] > width
    page.evaluate("document.querySelector('.wide:has(#arms)').scrollLeft = 9999")
    page.wait_for_selector(".scroller.less:not(.more):has(#arms)")
    assert first()["x"] == before["x"] and last()["x"] + last()["width"] <= width + 1


def test_what_fits_does_not_scroll(show, html):
    page = show(html)
    page.set_viewport_size({"width": 1400, "height": 900})
    page.wait_for_selector(".scroller:not(.moves):has(#arms)")
    assert page.locator(".scroller:has(#arms) ~ .hint:visible").count() == 0


LIGHTNESS = """(one) => {
  const [r, g, b] = getComputedStyle(one)[PROPERTY].match(/[0-9.]+/g).map(Number);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}"""


@pytest.mark.parametrize(("scheme", "is_dark"), [("light", False), ("dark", True)])
def test_page_and_figures_follow_the_colours_of_the_reader(show, html, scheme, is_dark):
    page = show(html)
    page.emulate_media(color_scheme=scheme)
    page.wait_for_timeout(300)  # what is drawn is drawn anew

    def lightness(selector, name):
        return page.locator(selector).first.evaluate(LIGHTNESS.replace("PROPERTY", f"'{name}'"))

    back, words = lightness("body", "backgroundColor"), lightness("body", "color")
    drawn, told = lightness("#curve-0 .bg", "fill"), lightness("#curve-0 .xtick text", "fill")
    assert (back < 60, drawn < 60) == (is_dark, is_dark) and abs(back - drawn) < 1
    for dark, light in ((back, words), (drawn, told)):
        assert abs(dark - light) > 150
    assert abs(drawn - lightness("#curve-0 .js-line", "stroke")) > 80


def test_words_of_an_axis_never_touch(show, tmp_path):
    plan, seeds, _ = PLANS["full"]
    page = show(page_of(write_design(tmp_path / "r", plan, seeds)))
    found = 0
    for plot in page.locator(".plot").all():
        boxes = [text.bounding_box() for text in plot.locator(".ytick text").all()]
        boxes = sorted((one["y"], one["height"]) for one in boxes)
        found += len(boxes)
        assert all(y + height <= below for (y, height), (below, _) in pairwise(boxes))
    assert found > 12


def cells(html, name):
    """Return headings and rows of the trials behind a row of a table."""
    told = html.split(f'id="{name}"')[1].split("</details>")[0]
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in told.split("<tr>")[1:]]
    return rows[0], rows[1:]


def test_seconds_are_those_that_the_heading_names(html):
    headings, rows = cells(html, "trials-1")
    for name, value in (("wall s", "20"), ("device s", "10")):  # as `synthetic.status` has them
        assert {row[headings.index(name)] for row in rows} == {value}


def test_every_trial_of_a_ladder_is_there_once_beside_both_arms(tmp_path):
    plan, seeds, _ = PLANS["ladder"]
    folder = write_design(tmp_path / "r", plan, seeds)
    html, found = page_of(folder), gather([folder])
    ids = [path.name for path in (folder / "trials").iterdir()]
    assert [html.count(one) for one in ids] == [1] * len(ids)
    arms = list(found.table["arm"])
    headings, rows = cells(html, f"trials-{arms.index('r1+ema_g')}")
    assert headings[-4:] == ["reference, same seed", "ratio", "r1, same seed", "ratio"]
    values = found.final.pivot(index="seed", columns="arm", values="value")
    expected = values["r1+ema_g"] / values["r1"]
    np.testing.assert_allclose([float(row[-1]) for row in rows], expected, rtol=1e-5)


def test_the_budget_is_what_was_shown(place):
    ends = (("a", 3000), ("b", 3000), ("b", 9000))
    rows = [f"{arm},{seed},fid,{9 + seed},{end}" for arm, end in ends for seed in range(3)]
    (place.path / "t.csv").write_text("\n".join(["arm,seed,metric,value,images", *rows]))
    assert place.type("import", "t.csv", "--reference", "a") == 0, place.err
    found = gather([place.path / "results" / "t"])
    assert "3,000 to 9,000 images a trial" in page_of(place.path / "results" / "t", reference="a")
    assert "3000 to 9000 real images shown to D;" in summarize(found)


def test_without_images_there_are_no_curves(place):
    rows = [f"{arm},{seed},fid,{9 + seed}" for arm in "ab" for seed in range(3)]
    (place.path / "t.csv").write_text("\n".join(["arm,seed,metric,value", *rows]))
    assert place.type("import", "t.csv", "--reference", "a") == 0, place.err
    found = gather([place.path / "results" / "t"])
    assert curve_panels(found) == [] and "curves.png" not in contents(found)


def test_curves_are_of_the_protocol_that_is_compared(tmp_path):
    for seed in range(3):
        for arm in ("reference", "r1"):
            both = [metrics(20.0 + seed), metrics(900.0).assign(protocol="another")]
            one = vars(trial(arm, seed))
            write_trial(tmp_path / "r", one, status(), pd.concat(both), curves(), {}, PROVENANCE)
    found = gather([tmp_path / "r"], protocol=PROTOCOL)
    last = [curve["mean"][-1] for curve in curve_panels(found)[0]["arms"].values()]
    np.testing.assert_allclose(last, [np.exp(np.log([20.0, 21.0, 22.0]).mean())] * 2, rtol=1e-4)


def test_on_paper_nothing_is_wider_than_the_page(show, html):
    page = show(html)
    page.set_viewport_size({"width": 700, "height": 900})
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.wait_for_function("document.documentElement.scrollWidth <= 700", timeout=5000)
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_names_are_never_markup(show, tmp_path):
    arms = [EVIL, "</script><script>alert(2)</script>", "`![x](http://x.test/y.png)`", "=1+1"]
    arms += ["a%{x}<b>", "&lt;i&gt;"]
    folder = write_study(tmp_path / "r", {"reference": [20.0] * 3} | dict.fromkeys(arms, [9.0] * 3))
    page = show(page_of(folder))
    assert set(arms) <= set(column(page, 1))
    assert page.locator("img[src=x], a[href^=http]").count() == 0
    page.get_by_role("button", name="All", exact=True).click()
    shown = page.locator("#switches label").all_inner_texts()
    assert set(arms) <= set(shown)


def test_nothing_outside_is_named(html):
    own = html.split("<script>")[0]
    assert "default-src 'none'" in own
    assert not re.findall(r"(?:src|href)=\"(?!#|data:)", own)


def test_json_cannot_end_its_script():
    assert "<" not in as_json({"a": "</script>&"}) and "\\u003c/script" in as_json("</script>")


def test_text_has_no_links_images_or_tags():
    told = markdown(["![a](http://x.test/a.png) [b](http://x.test) <b>c</b> <http://x.test>"], {})
    assert "<img" not in told and "<a" not in told and "<b>" not in told


def test_curves_show_what_was_measured(study):
    found = gather([study])
    panels = {panel["name"]: panel for panel in curve_panels(found)}
    assert next(iter(panels)) == found.metric.name
    place = list(found.table["arm"]).index("weight_clip")
    assert [one["arm"] for one in panels["loss_d"]["lost"]] == [place]
    measured = found.frame.query("arm == 'r1' and metric == 'fd_classifier'")
    logs = np.log(measured.pivot(index="images", columns="seed", values="value"))
    curve = panels["fd_classifier"]["arms"][list(found.table["arm"]).index("r1")]
    np.testing.assert_allclose(curve["mean"], np.exp(logs.mean(axis=1)), rtol=1e-4)
    half = 3.182446305 * logs.std(axis=1, ddof=1) / 2  # t of 3 degrees of freedom, 4 seeds
    np.testing.assert_allclose(curve["high"], np.exp(logs.mean(axis=1) + half), rtol=1e-4)


def test_no_arm_of_the_front_is_beaten_in_both(study):
    found = gather([study])
    table = found.table.assign(device_seconds=[3.0, 2.0, 1.0, 2.0], mean=[1.0, 2.0, 3.0, 2.5])
    assert front(table, found.metric).tolist() == [True, True, True, False]


@pytest.mark.slow
def test_the_page_of_64_arms_and_10_seeds_is_below_8_megabytes(tmp_path):
    from benchmarks.report import results

    found = gather([results(tmp_path / "r", 64, 10)])
    assert len(contents(found)["report.html"]) < 8e6
