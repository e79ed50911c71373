"""What a tagger must beat: a lexicon of the training spans, and logistic regression on each word and its neighbours.

Shapes: W words of a text, K tags.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from shopguide.tasks.task import Examples
from shopguide.text.phrases import longest_phrases
from shopguide.text.tags import MISSING, Span, Tags, decoded
from shopguide.text.words import word_ranges

FEATURES = 1 << 18
MAX_WORDS = 150_000
"""Training words of the logistic regression; of more, the first ones."""


def lexicon_spans(train: Examples, other: Examples) -> list[list[Span]]:
    """Left to right, the longest stretch of words that is marked in a training text, with its most frequent label.

    Of pairs (an attribute's name and a text), each attribute has a lexicon of its own.
    """
    lexicons: dict[str, dict[str, Counter[str]]] = {}
    for name, text, spans in _rows(train):
        for span in spans or ():
            entry = lexicons.setdefault(name, {}).setdefault(text[span.start : span.end].casefold(), Counter())
            entry[span.label] += 1
    return [list(_looked_up(text, lexicons.get(name, {}))) for name, text, _ in _rows(other)]


def _rows(examples: Examples) -> Iterator[tuple[str, str, list[Span] | None]]:
    """Name of the attribute (empty for single texts), text, and its spans."""
    spans = examples.spans or [None] * len(examples)
    if examples.second is None:
        yield from (("", text, marked) for text, marked in zip(examples.first, spans, strict=True))
    else:
        yield from zip(examples.first, examples.second, spans, strict=True)


def _looked_up(text: str, lexicon: dict[str, Counter[str]]) -> Iterator[Span]:
    for start, end in longest_phrases(text, lexicon):
        yield Span(start, end, lexicon[text[start:end].casefold()].most_common(1)[0][0])


def word_regression_spans(train: Examples, other: Examples, labels: Sequence[str]) -> list[list[Span]]:
    """Fit on the words of the training texts; decode the others as the model's own posteriors are decoded."""
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.linear_model import SGDClassifier

    tags = Tags(tuple(labels))
    vectorizer = HashingVectorizer(analyzer=lambda features: features, n_features=FEATURES, alternate_sign=False)
    fitted, truth = [], []
    for _, text, spans in _rows(train):
        words = word_ranges(text)
        fitted += list(_features(text, words))
        truth.append(tags.encode(words, spans or ()))
        if len(fitted) > MAX_WORDS:
            break
    column = np.concatenate(truth)
    known = column != MISSING
    model = SGDClassifier(loss="log_loss", alpha=1e-6, max_iter=20, tol=None, random_state=0)
    model.fit(vectorizer.transform(fitted)[known], column[known])
    texts = [text for _, text, _ in _rows(other)]
    ranges = [word_ranges(text) for text in texts]
    asked = [feature for text, words in zip(texts, ranges, strict=True) for feature in _features(text, words)]
    posterior = np.zeros((len(asked), len(tags)))
    if asked:
        posterior[:, model.classes_] = model.predict_proba(vectorizer.transform(asked))
    paths = decoded(posterior, [len(words) for words in ranges])
    return [[span for span, _, _ in tags.decode(words, path)] for words, path in zip(ranges, paths, strict=True)]


def _features(text: str, words: np.ndarray) -> Iterator[list[str]]:
    """Of each word: itself, its ends and shape, and the two words on either side."""
    forms = [text[start:end].casefold() for start, end in words]
    around = ["", "", *forms, "", ""]
    for i, form in enumerate(forms):
        window = around[i : i + 5]
        found = [f"{place}={other}" for place, other in enumerate(window)]
        found += [f"p={form[:3]}", f"s={form[-3:]}", f"d={any(c.isdigit() for c in form)}", f"n={min(len(form), 9)}"]
        found += [f"{place}+={a} {b}" for place, (a, b) in enumerate(pairwise(window))]
        yield found
