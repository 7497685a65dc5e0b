"""The page in a real browser: no complaint in the console, every image shown, nothing wider than the window."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuromorph.recording import SpikeTrain
from neuromorph.report.page import write_page
from neuromorph.scorecard import Evidence, Scorecard

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
OPTIONS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)

pytestmark = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None,
    reason="chromium or chromedriver is not installed (Debian: apt-get install chromium chromium-driver)",
)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    """A headless Chromium with a profile of its own, which keeps what its console says."""
    selenium = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    service = pytest.importorskip("selenium.webdriver.chrome.service")
    options = selenium.ChromeOptions()
    for argument in (*OPTIONS.split(), f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(argument)
    options.binary_location = CHROMIUM
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = selenium.Chrome(options=options, service=service.Service(DRIVER))
    yield driver
    driver.quit()


def set_window(browser: Any, width: int, scheme: str) -> None:
    """The width of the window in CSS pixels, and the colours that the reader prefers."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def test_page_in_a_browser(
    browser: Any,
    make_evidence: Callable[..., Evidence],
    make_scorecard: Callable[..., Scorecard],
    tmp_path: Path,
) -> None:
    """At the width of a desk and of a telephone, on paper white and in the dark."""
    dense = np.random.default_rng(0).random((60, 784)) < 0.2  # drawn as an image
    crowded = make_evidence("reward-stdp", raster={"image": SpikeTrain.from_dense(dense)})
    scorecard = make_scorecard(evidence=(make_evidence("pair-stdp"), crowded))
    path = write_page(scorecard, tmp_path / "scorecard.html")
    browser.get(path.as_uri())
    for width in (1280, 400):
        for scheme in ("light", "dark"):
            set_window(browser, width, scheme)
            widths = browser.execute_script(
                "const page = document.documentElement; return [page.scrollWidth, page.clientWidth]"
            )
            assert widths[0] <= widths[1] <= width
    fetched = browser.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert [name for name in fetched if not name.startswith("data:")] == []
    images = browser.execute_async_script(
        """
        const done = arguments[0];
        const sources = [...document.querySelectorAll("img")].map((image) => image.src)
          .concat([...document.querySelectorAll("svg image")].map((image) => image.href.baseVal));
        Promise.all(sources.map((source) => {
          const image = new Image();
          image.src = source;
          return image.decode().then(() => image.naturalWidth, () => 0);
        })).then(done);
        """
    )
    assert len(images) > 20
    assert min(images) > 0
    embedded = browser.execute_script("return document.getElementById('scorecard').textContent")
    assert json.loads(embedded)["task"] == "digits"
    shown = browser.execute_script(
        "return [...document.querySelectorAll('figure svg')].map((svg) => svg.getBoundingClientRect().height)"
    )
    assert min(shown) > 80
    assert browser.get_log("browser") == []


def test_colours_follow_the_preference_of_the_reader(browser: Any, scorecard: Scorecard, tmp_path: Path) -> None:
    """Ground, text and the outlines of figures change together."""
    browser.get(write_page(scorecard, tmp_path / "scorecard.html").as_uri())
    seen = []
    for scheme in ("light", "dark"):
        set_window(browser, 1280, scheme)
        seen.append(
            browser.execute_script(
                """
                const letter = document.querySelector("#figure-1 svg g[style*='--ink']");
                const colour = (element, name) => getComputedStyle(element)[name];
                return [colour(document.body, "backgroundColor"), colour(document.body, "color"),
                        colour(letter, "fill")];
                """
            )
        )
    light, dark = seen
    assert all(before != after for before, after in zip(light, dark, strict=True))
    assert light[1] == light[2]
    assert dark[1] == dark[2]
