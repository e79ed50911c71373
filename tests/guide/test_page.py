"""The page in a real headless Chromium: what a shopper does."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import uvicorn

from shopguide.guide.guide import Guide, Served
from shopguide.guide.service import Limits, Source, make_app
from tests.conftest import PATIENCE
from tests.guide.shops import PRODUCTS, shop

pytestmark = pytest.mark.browser
TITLES = [str(row["title"]) for row in PRODUCTS]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("shop")
    guide = Guide(shop(folder), {}, {"search": TITLES})
    server = uvicorn.Server(
        uvicorn.Config(make_app(Source(Served(guide, folder / "files")), Limits()), log_level="error")
    )
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    server.should_exit = True
    thread.join(20)


def until(what: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (found := what()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)
    return found


def texts(browser: Any, selector: str) -> list[str]:
    script = "return [...document.querySelectorAll(arguments[0])].map(own => own.textContent)"
    return list(browser.execute_script(script, selector))


def opened(browser: Any, address: str) -> None:
    """The page, when its script has had its first answer."""
    browser.get("about:blank")
    browser.get(address)
    until(lambda: texts(browser, "#recommended .title"))


def write(browser: Any, selector: str, words: str) -> None:
    field = browser.find_element("css selector", selector)
    until(field.is_displayed)
    field.clear()
    field.send_keys(words + "\n")


def press(browser: Any, selector: str) -> None:
    browser.execute_script("document.querySelector(arguments[0]).click()", selector)


def test_a_shopper_goes_through_the_shop(address: str, browser: Any) -> None:
    browser.get(address)
    assert until(lambda: texts(browser, "#recommended .title"))[0] == TITLES[2]
    write(browser, "#query", "red dres")
    assert until(lambda: texts(browser, "#items .title"))[0] == "red cotton dress"
    assert texts(browser, "#need mark small") == ["colour", "category"]
    assert "red dres" in texts(browser, "#notice button")[0]
    press(browser, "#facets section:nth-of-type(2) button")
    until(lambda: texts(browser, "#items .title") == ["red cotton dress", TITLES[3]])
    press(browser, "#items .card")
    assert until(lambda: texts(browser, "#product .cards .title")) == [TITLES[1], TITLES[3]]
    write(browser, "#product .ask input", "what colour is it")
    until(lambda: texts(browser, "#product .answer") == ["It is red.from what colour is it: It is red."])
    write(browser, "#product .ask input", "does it float")
    until(lambda: texts(browser, "#product .answer") == ["Not known."])
    press(browser, "#product .close")
    assert until(lambda: texts(browser, "#recommended .why"))[0] == "because you viewed red cotton dress"
    assert browser.get_log("browser") == []


def test_a_search_has_an_address(address: str, browser: Any) -> None:
    opened(browser, address)
    write(browser, "#query", "red dress under 50")
    until(lambda: texts(browser, "#items .title") == [TITLES[0]])
    assert texts(browser, "#need .chip") == ["Price ≤ 50.00"]
    write(browser, "#query", "dress not red")
    until(lambda: texts(browser, "#items .title") == [TITLES[1]])
    assert texts(browser, "#need .chip") == ["without red"]
    write(browser, "#query", "red dress")
    until(lambda: len(texts(browser, "#items .title")) == 3)
    press(browser, "#facets section:nth-of-type(2) button")
    until(lambda: texts(browser, "#items .title") == [TITLES[0], TITLES[3]])
    kept = browser.current_url
    assert texts(browser, "#facets section:first-of-type h3") == ["colour"]  # what is filtered by stands first
    press(browser, "#items .card")
    until(lambda: browser.execute_script("return document.querySelector('#product').open"))
    browser.back()
    until(lambda: not browser.execute_script("return document.querySelector('#product').open"))
    press(browser, "#items .card")
    press(browser, "#product .close")
    until(lambda: browser.execute_script("return history.state") is None)
    assert (texts(browser, "#items .title"), browser.current_url) == ([TITLES[0], TITLES[3]], kept)
    browser.back()
    until(lambda: len(texts(browser, "#items .title")) == 3)
    browser.back()
    until(lambda: texts(browser, "#items .title") == [TITLES[1]])
    assert browser.find_element("css selector", "#query").get_attribute("value") == "dress not red"
    browser.get("about:blank")
    browser.get(kept)
    until(lambda: texts(browser, "#items .title") == [TITLES[0], TITLES[3]])
    browser.get("about:blank")
    browser.get(f"{address}#q=dress&in=%5B1&in=5")
    until(lambda: len(texts(browser, "#items .title")) == 2)
    browser.get("about:blank")
    browser.get(f"{address}#as=typed")
    until(lambda: texts(browser, "#recommended .title"))
    assert browser.get_log("browser") == []


def test_it_says_where_only_the_price_is_missed(address: str, browser: Any) -> None:
    opened(browser, address)
    write(browser, "#query", "dres over 300")
    until(lambda: texts(browser, "#items .title") == [TITLES[0], TITLES[1]])
    told = "Nothing that fits is known to have such a price. These come nearest. Results for “dress” · "
    assert texts(browser, "#notice")[0].startswith(told)


def test_the_address_is_nobodys_trap(address: str, browser: Any) -> None:
    opened(browser, address)
    browser.get(f"{address}#q=red%20dress")
    until(lambda: len(texts(browser, "#items .title")) == 3)
    assert browser.current_url.endswith("#q=red+dress")  # in the place of the other
    press(browser, ".skip")
    until(lambda: browser.current_url.endswith("#results"))
    assert (len(texts(browser, "#items .title")), browser.execute_script("return state.query")) == (3, "red dress")
    browser.back()
    browser.back()
    until(lambda: texts(browser, "#recommended .title") and not texts(browser, "#items .title"))


def test_the_customer_service(address: str, browser: Any) -> None:
    opened(browser, address)
    press(browser, "#open-chat")
    write(browser, "#chat input", "where is my order 123456")
    until(lambda: texts(browser, "#chat li")[-1:] == ["See the link.order 123456"])
    write(browser, "#chat input", "qwertz <b>bold</b>")
    until(lambda: texts(browser, "#chat li")[-2:] == ["qwertz <b>bold</b>", "A colleague will answer you."])
    assert browser.find_elements("css selector", "#chat b") == []


def test_script_stays_text(address: str, browser: Any) -> None:
    opened(browser, f"{address}?query=<script>alert(2)</script>")
    write(browser, "#query", "<img src=x onerror=alert(3)> 手机壳")
    assert until(lambda: texts(browser, "#items .title"))[0] == TITLES[3] == "<script>alert(1)</script> red 手机壳"
    assert texts(browser, "#need")[0].startswith("<img src=x")
    assert browser.find_elements("css selector", "#need img, #items script") == []
    assert browser.get_log("browser") == []


def test_both_languages_and_the_keyboard(address: str, browser: Any) -> None:
    opened(browser, address)
    press(browser, "#language")
    assert (texts(browser, "#search button"), texts(browser, "#open-chat")) == (["搜索"], ["客服"])
    browser.find_element("css selector", "#language").send_keys("/")
    assert browser.switch_to.active_element.get_attribute("id") == "query"
    press(browser, "#open-chat")
    browser.switch_to.active_element.send_keys("\ue00c")  # Escape
    until(lambda: browser.execute_script("return document.querySelector('#chat').hidden"))


def test_on_a_telephone_nothing_reaches_over_the_edge(address: str, browser: Any) -> None:
    size = browser.get_window_size()
    browser.set_window_size(390, 800)
    try:
        opened(browser, address)
        write(browser, "#query", "red dress 手机")
        until(lambda: texts(browser, "#items .title"))
        wide, seen = browser.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
        assert wide <= seen
    finally:
        browser.set_window_size(size["width"], size["height"])
