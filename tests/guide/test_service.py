"""The service over HTTP, on a small shop without models: words find, the shop's own answers reply."""

import asyncio
import json
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from shopguide.errors import DataError, RunError
from shopguide.guide.guide import Guide, Served
from shopguide.guide.limits import BodyLimit
from shopguide.guide.service import LOG, Limits, Source, make_app, reload
from shopguide.inference.answers import Classifier
from tests.guide.shops import PRODUCTS, shop

LONG = "x" * 501


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    folder = tmp_path_factory.mktemp("shop")
    records = shop(folder)
    return Source(Served(Guide(records, {}, {"search": [str(row["title"]) for row in PRODUCTS]}), folder / "files"))


@pytest.fixture(scope="module")
def client(source: Source) -> Iterator[TestClient]:
    with TestClient(make_app(source, Limits())) as client:
        yield client


def post(client: TestClient, kind: str, **body: Any) -> Any:
    answer = client.post(f"/api/{kind}", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(items: list[dict[str, Any]]) -> list[str]:
    return [item["item_id"] for item in items]


def test_search(client: TestClient) -> None:
    found = post(client, "search", query="red dres")
    assert (found["searched"], ids(found["items"])[0]) == ("red dress", "I1")
    assert [span["label"] for span in found["need"]["spans"]] == ["colour", "category"]
    assert found["facets"]["colour"] == [["red", 2], ["blue", 1]]
    assert ids(post(client, "search", query="red dress", filters={"colour": ["blue"]})["items"]) == ["I2"]
    assert ids(post(client, "search", query="手机", price_from=100)["items"]) == ["I3"]
    assert post(client, "search", query="dres", mend=False)["items"] == []
    assert len(post(client, "search", query="red dress", count=1)["items"]) == 1


def test_recommendation_and_similar(client: TestClient) -> None:
    assert ids(post(client, "recommend")) == ["I3", "I2", "I1", "I4", "I5"]
    found = post(client, "recommend", viewed_items=["I1", "gone"], purchased_items=["I3"], count=1)
    assert (ids(found), found[0]["because"]) == (["I2"], "I1")
    assert ids(post(client, "recommend", filters={"category": ["shoes"]})) == ["I5"]
    assert ids(post(client, "similar", item_id="I1")) == ["I2", "I4"]


def test_answers_and_replies(client: TestClient) -> None:
    found = post(client, "answer", question="What colour is it?", item_id="I5")
    assert found["answer"] == "It is blue."
    assert found["evidence"] == [{"source": "attribute", "item_id": "I5", "name": "colour", "text": "blue"}]
    found = post(client, "answer", question="什么颜色？", item_id="I1")
    assert (found["answer"], found["evidence"][0]["source"]) == ("红色", "dialogue")
    assert post(client, "answer", question="have you colour 45", item_id="I1")["answer"] is None
    assert post(client, "answer", question="what price is it", item_id="I1")["answer"] == "price: 30"
    assert post(client, "answer", question="does it float", item_id="I1") == {"answer": None, "evidence": []}
    reply = post(client, "reply", message="where is my order 123456")
    assert (reply["reply"]["answer"], reply["slots"]["order"], reply["handover"]) == (
        "See the link.",
        ["123456"],
        False,
    )
    assert post(client, "reply", message="I1 what colour is it")["reply"]["answer"] == "It is red."
    assert post(client, "reply", message="qwertz")["handover"] is True
    reply = post(client, "reply", message="I1是什么颜色 98765")
    assert reply["slots"] == {"order": ["98765"], "item_id": ["I1"]}
    assert post(client, "answer", question="how can I return something", item_id="I1")["answer"] == "Within seven days."
    assert post(client, "understand", query="red thing")["category"] == []


@pytest.mark.parametrize(
    ("kind", "body", "status", "words"),
    [
        ("search", b'{"query": "a"', 422, "expected JSON"),
        ("search", b"", 422, "body"),
        ("search", b"[]", 422, "body: "),
        ("search", b'{"query": 3}', 422, "query: "),
        ("search", b'{"query": " "}', 422, "query: expected words, found none"),
        ("search", b'{"query": "a\\u0000"}', 422, "NUL"),
        ("search", b'{"query": "\\ud800"}', 422, "query: "),
        ("search", json.dumps({"query": LONG}).encode(), 422, "500 characters"),
        ("search", b'{"query": "a", "count": 51}', 422, "count: "),
        ("search", b'{"query": "a", "page": 2}', 422, "page: "),
        (
            "search",
            b'{"query": "a", "price_from": 9, "price_to": 5}',
            422,
            "expected price_from ≤ price_to, found 9 and 5",
        ),
        ("search", b'{"query": "a", "price_from": NaN}', 422, "price_from: "),
        ("search", b'{"query": "a", "filters": {"size": ["3"]}}', 422, "filters.size: expected a facet"),
        ("similar", b'{"item_id": "I9"}', 404, "item_id=I9: expected a product"),
        ("answer", b'{"question": "a", "item_id": "I9"}', 404, "item_id=I9"),
        ("recommend", b'{"viewed_items": "I1"}', 422, "viewed_items: "),
        ("search", b'"' + b"x" * 70_000 + b'"', 413, "too long: expected at most 65536 bytes"),
    ],
)
def test_what_is_wrong_is_told(client: TestClient, kind: str, body: bytes, status: int, words: str) -> None:
    answer = client.post(f"/api/{kind}", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status
    assert words in answer.json()["error"]


def test_a_long_body_without_a_length_is_refused(client: TestClient) -> None:
    answer = client.post("/api/search", content=(b"x" * 10_000 for _ in range(1000)))
    assert answer.status_code == 413


def test_a_body_that_does_not_come_is_not_waited_for(source: Source) -> None:
    told: list[dict[str, Any]] = []

    async def never() -> dict[str, Any]:
        await asyncio.sleep(60)
        raise AssertionError

    async def send(message: Any) -> None:
        told.append(message)

    async def case() -> None:
        scope = {"type": "http", "method": "POST", "path": "/api/search", "headers": [], "query_string": b""}
        await BodyLimit(None, 10, 0.05)(scope, never, send)  # type: ignore[arg-type]

    asyncio.run(case())
    assert told[0]["status"] == 408


class Sure(Classifier):
    """Knows one intent."""

    card = SimpleNamespace(targets={"intent": ["return", "track"]})  # type: ignore[assignment]

    def network_posterior(self, *_asked: Any, **_more: Any) -> Any:
        raise AssertionError

    def posterior(self, first: Any, *_asked: Any, **_more: Any) -> Any:
        return {"intent": np.array([[0.9, 0.1]] * len(first))}


def test_some_intents_are_answered_by_a_person_too(tmp_path: Path) -> None:
    for persons, handover in (((), False), (("return",), True)):
        guide = Guide(shop(tmp_path / str(handover)), {"intent": Sure()}, {}, persons)
        told = guide.reply("I can return something how")
        assert (told.reply.answer, told.handover, told.intent[0].label) == ("Within seven days.", handover, "return")


def test_who_asks_for_a_person_in_the_faqs_words_gets_one_without_a_model(tmp_path: Path) -> None:
    told = Guide(shop(tmp_path), {}, {}, ["return"]).reply("how can I return something")
    assert (told.reply.answer, told.handover) == ("Within seven days.", True)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda own: st.lists(own, max_size=3) | st.dictionaries(st.text(), own, max_size=3),
    max_leaves=6,
)
KINDS = ("understand", "search", "similar", "recommend", "answer", "reply")
FIELDS = ("query", "question", "message", "item_id", "count", "filters", "viewed_items", "diversity", "price_to")


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(FIELDS), JSON | st.text(min_size=1), max_size=4))
def test_no_body_makes_it_fail(client: TestClient, kind: str, body: dict[str, Any]) -> None:
    answer = client.post(f"/api/{kind}", content=json.dumps(body), headers={"content-type": "application/json"})
    assert answer.status_code in (200, 404, 422)


def test_the_page_and_pictures_hold_no_foreign_script(client: TestClient) -> None:
    page = client.get("/")
    assert "default-src 'none'; script-src 'self'" in page.headers["content-security-policy"]
    assert page.headers["x-content-type-options"] == "nosniff"
    assert client.get("/app.js").headers["content-type"].startswith("text/javascript")
    assert "innerHTML" not in client.get("/app.js").text
    picture = client.get("/images/I1")
    assert (picture.headers["content-type"], "sandbox" in picture.headers["content-security-policy"]) == (
        "image/svg+xml",
        True,
    )
    assert client.get("/images/I2").status_code == client.get("/images/none").status_code == 404
    assert client.get("/service.py").status_code == 404


def test_health_metrics_and_specification(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok", "products": 5, "tasks": [], "waiting": 0}
    assert client.get("/api/products/I1").json()["title"] == "red cotton dress"
    told = client.get("/metrics").text
    assert 'shopguide_requests_total{path="/api/products/{item_id:path}",status="200"} 1.0' in told
    assert "shopguide_seconds_bucket" in told
    assert set(client.get("/openapi.json").json()["paths"]) == {
        *(f"/api/{kind}" for kind in KINDS), "/api/products/{item_id}", "/health",
    }  # fmt: skip


def test_keys(source: Source) -> None:
    app = make_app(Source(source.shop, ["secret", "other"]), Limits())
    with TestClient(app) as client:
        for headers in ({}, {"Authorization": "Bearer no"}, {"Authorization": "Bearer "}):
            answer = client.post("/api/search", json={"query": "dress"}, headers=headers)
            assert (answer.status_code, "Authorization: Bearer" in answer.json()["error"]) == (401, True)
        told = {"Authorization": "Bearer other"}
        assert client.post("/api/search", json={"query": "dress"}, headers=told).status_code == 200
        assert client.get("/health").status_code == client.get("/").status_code == 200
    assert "secret" not in repr(Source(source.shop, ["secret"]))


class Slow(Guide):
    """Takes its time, so that others come."""

    def search(self, *asked: Any) -> Any:
        time.sleep(0.2)
        return super().search(*asked)


def test_too_many_get_503_and_no_answer_is_wrong(tmp_path: Path) -> None:
    slow = Slow(shop(tmp_path), {}, {"search": [str(row["title"]) for row in PRODUCTS]})
    answers: list[tuple[str, Any]] = []
    with TestClient(make_app(Source(Served(slow, tmp_path)), Limits(together=1, waiting=2))) as client:

        def ask(query: str) -> None:
            answers.append((query, client.post("/api/search", json={"query": query, "count": 1})))

        threads = [threading.Thread(target=ask, args=(query,)) for query in ("silk", "shoes") * 5]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(answers) == 10
    assert {answer.status_code for _, answer in answers} == {200, 503}
    for query, answer in answers:
        if answer.status_code == 503:
            assert int(answer.headers["retry-after"]) >= 1
        else:
            assert ids(answer.json()["items"]) == [{"silk": "I2", "shoes": "I5"}[query]]


def test_logs_hold_no_words_of_shoppers(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, LOG.name):
        post(client, "reply", message="call me at 555-1234 Jane")
        client.get("/api/products/Jane")
        client.get("/Jane?query=555-1234")
        client.post("/api/search", content=b'{"query": ["555-1234 Jane"]}')
    told = [record.getMessage() for record in caplog.records if record.name == LOG.name]
    lines = [json.loads(line) for line in told]
    assert [(line["path"], line["status"]) for line in lines] == [
        ("/api/reply", 200), ("/api/products/{item_id:path}", 404), ("/{name}", 404), ("/api/search", 422),
    ]  # fmt: skip
    assert not [line for line in told if "Jane" in line or "555" in line]


def test_another_guide_takes_the_place(source: Source, tmp_path: Path) -> None:
    own = Source(source.shop)
    other = Served(Guide(shop(tmp_path, []), {}, {}), tmp_path)
    with TestClient(make_app(own, Limits())) as client:
        assert post(client, "reply", message="where is my order")["handover"] is False
        reload(own, lambda: 1 / 0)  # type: ignore[arg-type, return-value]
        assert post(client, "reply", message="where is my order")["handover"] is False
        reload(own, lambda: other)
        assert post(client, "reply", message="where is my order")["handover"] is True


def test_a_failed_reload_tells_why_but_no_words_of_records(
    source: Source, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(error: Exception) -> str:
        def make() -> Served:
            raise error

        reload(Source(source.shop), make)
        return str(json.loads(caplog.records[-1].getMessage())["reload"])

    monkeypatch.setattr(LOG, "propagate", True)
    assert fail(RunError("run=x: expected an id")) == "failed: run=x: expected an id"
    assert "Jane" not in fail(DataError("products.jsonl:3 title Jane"))


def test_a_failure_of_its_own_is_500_without_words(source: Source, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Guide):
        def reply(self, *_asked: Any) -> Any:
            raise RuntimeError("Jane")

    broken = Broken.__new__(Broken)
    broken.__dict__ = dict(source.shop.guide.__dict__)
    with TestClient(
        make_app(Source(Served(broken, source.shop.root)), Limits()), raise_server_exceptions=False
    ) as client:
        answer = client.post("/api/reply", json={"message": "hello"})
    assert (answer.status_code, answer.json()["error"]) == (500, "the service failed at this request")
