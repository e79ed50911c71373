from shopguide.tasks.tag_baselines import lexicon_spans, word_regression_spans
from shopguide.tasks.task import Examples
from shopguide.text.tags import Span


def marked(*rows: tuple[str, list[Span]], names: list[str] | None = None) -> Examples:
    texts = [text for text, _ in rows]
    ids = [str(i) for i in range(len(rows))]
    spans: list[list[Span] | None] = [spans for _, spans in rows]
    if names is None:
        return Examples(first=texts, spans=spans, groups=ids)
    return Examples(first=names, second=texts, spans=spans, groups=ids)


def test_the_longest_known_stretch_with_its_most_frequent_label() -> None:
    train = marked(
        ("Nike Air", [Span(0, 8, "model")]),
        ("nike", [Span(0, 4, "brand")]),
        ("nike", [Span(0, 4, "brand")]),
        ("nike", [Span(0, 4, "shop")]),
    )
    other = marked(("buy NIKE air by nike", []), ("nikes", []))
    assert lexicon_spans(train, other) == [[Span(4, 12, "model"), Span(16, 20, "brand")], []]


def test_an_attribute_has_its_own_lexicon() -> None:
    train = marked(("red shoe", [Span(0, 3, "value")]), names=["colour"])
    other = marked(("red shoe", []), ("red shoe", []), names=["colour", "brand"])
    assert lexicon_spans(train, other) == [[Span(0, 3, "value")], []]


def test_word_regression_tells_what_neighbours_tell() -> None:
    brands = ["acme", "zeta", "kilo", "nova", "orbit", "pixel", "quark", "rigel"]
    train = marked(*((f"by {brand} shoe", [Span(3, 3 + len(brand), "brand")]) for brand in brands * 4))
    assert word_regression_spans(train, marked(("by unseen shoe", []), ("", [])), ["brand"]) == [
        [Span(3, 9, "brand")],
        [],
    ]
