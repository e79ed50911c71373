"""The MLflow UI on a finished experiment, in a real headless Chromium."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shopguide.runs.store import Store, open_store
from tests.conftest import PATIENCE, Finished, served
from tests.experiment.test_comparing import swept, value

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


@pytest.fixture(scope="module")
def sweeps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, str, str]]:
    """A store with a sweep, its run, and the address of its UI."""
    store = open_store(None, "swept", tmp_path_factory.mktemp("swept"))
    sweep = swept(store, "sweep over lr", [("1e-4", "1", "0"), ("3e-4", "1", "0")])
    with served("ui", "--backend-store-uri", store.uri, "--workers", "1") as place:
        yield store, sweep, f"{place}/#/experiments/{store.experiment_id}"


def test_jobs_nest_below_their_sweep_and_two_of_them_are_compared(
    sweeps: tuple[Store, str, str], browser: Any, tmp_path: Path
) -> None:
    store, sweep, address = sweeps
    browser.get(f"{address}/runs")
    cell = find(browser, "//*[text()='sweep over lr']/ancestor::*[@role='gridcell'][1]")
    cell.find_element("tag name", "button").click()
    for job in ("lr=1e-4 epochs=1 seed=0", "lr=3e-4 epochs=1 seed=0"):
        assert find(browser, f"//*[@role='gridcell']//*[text()='{job}']")
    browser.save_screenshot(str(tmp_path / "jobs.png"))
    jobs = [job.info.run_id for job in store.find_children(sweep)]
    phases = [store.find_children(job)[0].info.run_id for job in jobs]
    home = address.rpartition("/experiments/")[0]
    chosen = ",".join(f'"{phase}"' for phase in phases)
    browser.get(f'{home}/compare-runs?runs=[{chosen}]&experiments=["{store.experiment_id}"]')
    assert find(browser, "//*[contains(text(), 'Comparing 2 Runs')]")
    browser.save_screenshot(str(tmp_path / "compared.png"))
    browser.get(
        f'{home}/metric?runs=[{chosen}]&experiments=["{store.experiment_id}"]'
        '&metric="dev%2Fmacro_f1"&plot_metric_keys=["dev%2Fmacro_f1"]'
    )
    plot = find(browser, "//*[contains(@class, 'js-plotly-plot')]")
    browser.save_screenshot(str(tmp_path / "curves.png"))
    curves = browser.execute_script("return arguments[0].data.map(curve => [curve.name, Array.from(curve.y)])", plot)
    expected = {tuple(value(lr, "1", "0") - 1 / step for step in (10, 20)) for lr in ("1e-4", "3e-4")}
    assert {tuple(values) for _, values in curves} == expected, curves
