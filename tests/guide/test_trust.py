from shopguide.guide.trust import LEAST, NEVER, trusted_from


def test_nine_of_ten_are_right_from_there_on() -> None:
    sure = [number / 100 for number in range(100)]
    assert trusted_from((own, own >= 0.5) for own in sure) == 0.5
    assert trusted_from((own, True) for own in sure) == 0
    mostly = [(own, own >= 0.2 or number % 2 == 0) for number, own in enumerate(sure)]
    assert trusted_from(mostly) == 0.2  # nine of ten of all are right, but of the least sure ones half
    assert trusted_from((own, own < 0.5) for own in sure) == NEVER


def test_few_say_nothing() -> None:
    assert trusted_from([(0.9, True)] * (LEAST - 1)) == NEVER
    assert trusted_from([(0.9, True)] * LEAST) == 0.9
    assert trusted_from([]) == NEVER
