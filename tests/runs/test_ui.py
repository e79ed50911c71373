"""The MLflow UI on a finished experiment, in a real headless Chromium."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import PATIENCE, Finished, served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(finished: Finished) -> Iterator[str]:
    with served("ui", "--backend-store-uri", finished.store.uri, "--workers", "1") as place:
        yield f"{place}/#/experiments/{finished.store.experiment_id}"


def find(browser: Any, path: str) -> Any:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.expected_conditions import element_to_be_clickable
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(browser, PATIENCE).until(element_to_be_clickable((By.XPATH, path)), path)


def test_phases_nest_below_their_experiment(finished: Finished, address: str, browser: Any) -> None:
    browser.get(f"{address}/runs")
    cell = find(browser, "//*[text()='mlm_then_ft']/ancestor::*[@role='gridcell'][1]")
    assert "finetune need" not in browser.find_element("tag name", "body").text
    cell.find_element("tag name", "button").click()
    for phase in ("pretrain", "finetune need", "finetune features", "finetune relevance"):
        assert find(browser, f"//*[@role='gridcell']//*[text()='{phase}']")


def test_curves_of_two_phases_overlay(finished: Finished, address: str, browser: Any) -> None:
    phases = [c.info.run_id for c in finished.store.find_children(finished.run_id)][:2]
    runs = ",".join(f'"{run}"' for run in phases)
    home = address.rpartition("/experiments/")[0]
    chosen = f'runs=[{runs}]&experiments=["{finished.store.experiment_id}"]'
    browser.get(f'{home}/metric?{chosen}&metric="train%2Floss"&plot_metric_keys=["train%2Floss"]')
    for name in ("pretrain (train/loss)", "finetune need (train/loss)"):
        assert find(browser, f"//*[text()='{name}']")
    plot = find(browser, "//*[contains(@class, 'js-plotly-plot')]")
    curves = browser.execute_script("return arguments[0].data.map(curve => [curve.name, curve.y.length])", plot)
    drawn = {name: points for name, points in curves if name and points}
    assert len(drawn) == 2, curves
    assert min(drawn.values()) >= 3


def test_a_figure_opens(finished: Finished, address: str, browser: Any) -> None:
    run = finished.store.task_runs(finished.run_id, "need")["need"]
    browser.get(f"{address}/runs/{run}/artifacts")
    find(browser, "//*[text()='figures']").click()
    find(browser, "//*[text()='confusion_category.png']").click()
    picture = find(browser, "//img[starts-with(@src, 'blob:')]")
    assert picture.get_property("naturalWidth") > 600
