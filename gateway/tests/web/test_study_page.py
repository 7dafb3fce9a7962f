"""The page of `zen study` in a real browser: from one file, with no network, on a desk and on a phone."""

import json

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.tests.study.small import written


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """(the page's file, its figures)."""
    folder = tmp_path_factory.mktemp("study")
    home = written(folder / "home.csv", days=6, step_min=30)
    page, figures = folder / "study.html", folder / "study.json"
    options = ["--battery", "4,8", "--co2", "60", "--workers", "1", "--replan", "360", "--language", "en"]
    done = CliRunner().invoke(
        app, ["study", "--load", str(home), *options, "--page", str(page), "--json", str(figures)]
    )
    assert done.exit_code == 0, done.output
    return page, json.loads(figures.read_text())


@pytest.fixture
def tab(browser, study, request):
    tab = browser.open(study[0].as_uri(), still=True, **getattr(request, "param", {"width": 1240}))
    tab.wait("document.body.dataset.ready === 'true'")
    yield tab
    tab.close()


@pytest.mark.parametrize("tab", [{"width": 1240}, {"width": 390}, {"width": 390, "dark": True}], indirect=True)
def test_it_is_drawn_without_a_complaint_and_without_a_network(tab):
    tab.wait("document.querySelectorAll('#sizes polyline').length === 3")
    assert tab.errors == []
    assert all(url.startswith(("file:", "data:")) for url in tab.requests)
    assert tab.run("document.documentElement.scrollWidth <= innerWidth")
    painted = "(c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((v) => v !== 0))"
    assert tab.run(f"[...document.querySelectorAll('.plot canvas')].map({painted})") == [True, True]


def test_every_picture_says_in_words_what_it_shows(tab):
    labels = tab.run("[...document.querySelectorAll('[role=img]')].map((each) => each.ariaLabel)")
    assert len(labels) == 5
    assert all(labels)


def test_another_size_changes_the_answer_and_the_tiles(tab, study):
    gains = [size["gain_eur"]["zen"] for size in study[1]["sizes"]]
    for place, kwh in enumerate(("4", "8")):
        tab.run(f"document.querySelectorAll('#size button')[{place}].click()")
        said = tab.text("#gain").replace("\N{NO-BREAK SPACE}", " ")
        assert said == f"A battery of {kwh} kWh would have saved {gains[place]:.2f} € in 6 days."
    zen = study[1]["sizes"][1]["ways"]["zen"]["all"]
    assert f"{zen['cost_eur']:.2f}" in tab.text("#tiles")
    assert f"{100 * zen['self_sufficiency']:.1f}".removesuffix(".0") + "%" in tab.text("#tiles")
    assert f"{zen['co2_kg']:.0f}" in tab.text("#tiles")


def test_days_are_gone_through_with_buttons_and_moments_with_keys(tab):
    tab.run("document.getElementById('day').value = '2025-04-03'")
    tab.run("document.getElementById('day').dispatchEvent(new Event('change'))")
    tab.run("document.getElementById('next').click()")
    assert tab.run("document.getElementById('day').value") == "2025-04-04"
    assert "4 April 2025" in tab.run("document.getElementById('power').ariaLabel")
    tab.run("document.getElementById('power').dispatchEvent(new KeyboardEvent('keydown', {key: 'Home'}))")
    tab.wait("document.getElementById('readout').innerText.includes('00:00')")
    tab.run("document.getElementById('power').dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight'}))")
    tab.wait("document.getElementById('readout').innerText.includes('00:30')")
