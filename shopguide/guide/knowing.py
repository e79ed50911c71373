"""What a shop has answered before: questions on its products, and its own replies to what is often asked."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shopguide.guide.lexicon import Lexicon
from shopguide.guide.phrases import Phrases, plain
from shopguide.guide.shelf import Shelf
from shopguide.records.tables import Shop, column
from shopguide.tasks.passages import PERSONAL
from shopguide.text.words import UNSPACED, WORD

LEAST_ASKED = 3
"""Different answers by which it is seen what a question is about."""
SURE = 0.8
"""Of a question's answers, the share that an attribute tells."""
BLANK = "\x00"


@dataclass(frozen=True)
class Reply:
    """An answer that the shop wrote, and to what."""

    question: str
    answer: str
    intent: str | None


class Knowledge:
    """Learnt from a shop's dialogues.

    A question on products is about the attribute whose value stands in its answers, or which decides them: where
    products of one value are answered alike, and those of another otherwise. So it is known in any language, whatever
    the attribute is called.
    """

    def __init__(self, shelf: Shelf, shop: Shop) -> None:
        names = ("question", "answer", "item_id", "intent")
        columns = [column(shop.dialogues, name) for name in names] if len(shop.dialogues) else [[]] * 4
        rows = list(zip(*columns, strict=True))
        self._replies = _faq(rows)
        self.replies = list(self._replies.values())
        self._heard = Lexicon([question for question, *_ in rows])
        self._faq = Phrases([reply.question for reply in self.replies])
        self._about: dict[str, str] = {}
        self._said: dict[tuple[str, str], str] = {}
        self._forms: dict[str, str] = {}
        self._known: dict[tuple[str, str], str] = {}
        asked: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for question, answer, item, _ in rows:
            if answer and item in shelf.place and not PERSONAL.search(answer):
                asked[plain(question)].append((answer, shelf.place[item]))
                self._known[plain(question), item] = answer
        for question, answers in asked.items():
            if len({answer for answer, _ in answers}) >= LEAST_ASKED:
                self._learn(shelf, question, answers)
        self._asked = list(self._about)
        self._questions = Phrases(self._asked)

    def _learn(self, shelf: Shelf, question: str, answers: Sequence[tuple[str, int]]) -> None:
        pairs = {name: _pairs(answers, shelf, name) for name in shelf.facets}
        told = {name: _told(own) / len(answers) for name, own in pairs.items()}
        name = max(told, key=lambda facet: told[facet])
        if told[name] >= SURE:
            forms = Counter(a.replace(value, BLANK) for value, a in pairs[name] if value in a)
            self._about[question], self._forms[question] = name, forms.most_common(1)[0][0]
            return
        decided = {name: _decided(own) / len(answers) for name, own in pairs.items()}
        name = max(decided, key=lambda facet: decided[facet])
        if decided[name] >= SURE:
            self._about[question] = name
            self._said |= {(question, value): answer for value, answer in _both_ways(pairs[name])}

    def about(self, question: str) -> tuple[str, str] | None:
        """The attribute that a question is about, and the known question that it is like; None: it is like none."""
        place = self._questions.nearest(plain(question))
        return None if place is None else (self._about[self._asked[place]], self._asked[place])

    def answered(self, question: str, item_id: str) -> str | None:
        """How the shop has answered this question on this product."""
        return self._known.get((plain(question), item_id))

    def worded(self, known: str, value: str) -> str | None:
        """How the shop answers a known question where the attribute has a value."""
        form = self._forms.get(known)
        return self._said.get((known, value)) if form is None else form.replace(BLANK, value)

    def mended(self, message: str) -> str:
        """The message with slips mended by the words of all dialogues."""
        return self._heard.mended(message)

    def unheard(self, message: str) -> float:
        """Of its words, the share that no dialogue has; numbers count for nothing."""
        own = [word for word in WORD.findall(message.casefold()) if word.isalpha()]
        return sum(word not in self._heard.frequency for word in own) / len(own) if own else 1.0

    def intent_of(self, question: str) -> str | None:
        """With which intent the FAQ has a question."""
        return next((reply.intent for reply in self.replies if reply.question == question), None)

    def said(self, message: str) -> Reply | None:
        """The shop's own reply to this very message."""
        return self._replies.get(plain(message))

    def reply(self, message: str, intent: str | None) -> Reply | None:
        """The shop's own reply to a message: the one of its intent in its language, if that is known and there are not
        several, else that to a question like it; None: there is none.
        """
        if intent is None:
            place = self._faq.nearest(message)
            return None if place is None else self.replies[place]
        own = [place for place, reply in enumerate(self.replies) if reply.intent == intent]
        unspaced = bool(UNSPACED.search(message))
        same = [place for place in own if bool(UNSPACED.search(self.replies[place].question)) == unspaced] or own
        if len({self.replies[place].answer for place in same}) == 1:
            return self.replies[same[0]]
        nearest = self._faq.nearest(message, set(same))
        return None if nearest is None else self.replies[nearest]


def _faq(rows: Sequence[tuple[str, str | None, str | None, str | None]]) -> dict[str, Reply]:
    """Plain questions that were answered in one way, whoever asked; what has somebody's number or address is none."""
    answers: dict[str, set[str]] = defaultdict(set)
    found: dict[str, Reply] = {}
    for question, answer, item, intent in rows:
        if answer and not item and not PERSONAL.search(f"{question} {answer}"):
            answers[plain(question)].add(answer)
            found[plain(question)] = Reply(question, answer, intent)
    return {question: reply for question, reply in found.items() if len(answers[question]) == 1}


Pairs = Counter[tuple[str, str]]
"""How often products with a value were answered so."""


def _pairs(answers: Sequence[tuple[str, int]], shelf: Shelf, name: str) -> Pairs:
    facet = shelf.facets[name]
    return Counter((facet.values[code], answer) for answer, row in answers if (code := facet.codes[row]) >= 0)


def _told(pairs: Pairs) -> int:
    """Answers in which the value stands."""
    return sum(count for (value, answer), count in pairs.items() if value in answer)


def _decided(pairs: Pairs) -> int:
    """Answers that the value tells, or if they are fewer, that tell the value; 0 where hardly any value was asked for
    twice.
    """
    if 2 * len(pairs) > pairs.total():
        return 0
    by_value, by_answer = Counter[str](), Counter[str]()
    for (value, answer), count in pairs.items():
        by_value[value], by_answer[answer] = max(by_value[value], count), max(by_answer[answer], count)
    return min(by_value.total(), by_answer.total())


def _both_ways(pairs: Pairs) -> Iterator[tuple[str, str]]:
    """Value and answer, each of which is most often with the other."""
    of_value: dict[str, str] = {}
    of_answer: dict[str, str] = {}
    for (value, answer), _ in pairs.most_common():
        of_value.setdefault(value, answer)
        of_answer.setdefault(answer, value)
    yield from ((value, answer) for value, answer in of_value.items() if of_answer[answer] == value)
