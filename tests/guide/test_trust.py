import pytest

from shopguide.guide.trust import LEAST, NEVER, trusted_from


def test_nine_of_ten_are_right_from_there_on() -> None:
    sure = [number / 100 for number in range(100)]
    assert trusted_from((own, own >= 0.5) for own in sure) == pytest.approx(0.45)
    assert trusted_from((own, True) for own in sure) == 0
    assert trusted_from((own, own < 0.5) for own in sure) == NEVER


def test_few_say_nothing() -> None:
    assert trusted_from([(0.9, True)] * (LEAST - 1)) == NEVER
    assert trusted_from([(0.9, True)] * LEAST) == 0.9
    assert trusted_from([]) == NEVER
