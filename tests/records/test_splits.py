import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from shopguide.records.splits import Fold, normalised, split_by_group, split_by_user_and_time

SHARES = (0.8, 0.1, 0.1)


@given(st.lists(st.text(max_size=6), max_size=80), st.integers(0, 5))
def test_a_group_is_never_divided(groups: list[str], seed: int) -> None:
    split = split_by_group(groups, seed=seed, fractions=SHARES)
    assert len(split) == len(groups)
    assert all(len({s for s, g in zip(split, groups, strict=True) if g == name}) == 1 for name in groups)


def test_a_group_keeps_its_split_whatever_else_is_there() -> None:
    names = [f"query {i}" for i in range(2000)]
    whole = dict(zip(names, split_by_group(names, seed=0, fractions=SHARES), strict=True))
    part = split_by_group(names[::3], seed=0, fractions=SHARES)
    assert [whole[name] for name in names[::3]] == part.tolist()


def test_shares_are_as_asked() -> None:
    split = split_by_group([str(i) for i in range(20_000)], seed=1, fractions=(0.7, 0.1, 0.2))
    shares = [(split == name).mean() for name in ("train", "dev", "test")]
    np.testing.assert_allclose(shares, [0.7, 0.1, 0.2], atol=0.01)


ROWS = st.lists(st.tuples(st.integers(0, 12), st.floats(0, 1000, allow_nan=False)), min_size=1, max_size=120)


@settings(max_examples=200)
@given(ROWS)
def test_later_users_are_held_out_and_no_time_is_mixed(rows: list[tuple[int, float]]) -> None:
    users, times = [f"U{u}" for u, _ in rows], [t for _, t in rows]
    split = split_by_user_and_time(users, times, ["q"] * len(rows), seed=0, fractions=SHARES)
    kept = {name: [i for i, own in enumerate(split) if own == name] for name in ("train", "dev", "test")}
    of_users = [{users[i] for i in kept[name]} for name in kept]
    assert sum(map(len, of_users)) == len(set.union(*of_users))
    moments = [[times[i] for i in kept[name]] for name in kept]
    for earlier, later in ((0, 1), (0, 2), (1, 2)):
        assert not moments[earlier] or not moments[later] or max(moments[earlier]) < min(moments[later])
    assert set(split) <= {"train", "dev", "test", "aside"}


def test_without_times_users_stay_whole() -> None:
    users = [f"U{i % 50}" for i in range(500)]
    split = split_by_user_and_time(users, [None] * 500, ["q"] * 500, seed=0, fractions=SHARES)
    assert all(len(set(split[np.array(users) == user])) == 1 for user in users)
    assert set(split) == {"train", "dev", "test"}


def test_without_users_queries_stay_whole() -> None:
    queries = [f"q{i % 50}" for i in range(500)]
    split = split_by_user_and_time([None] * 500, [None] * 500, queries, seed=0, fractions=SHARES)
    assert all(len(set(split[np.array(queries) == q])) == 1 for q in queries)


def test_case_and_white_space_make_no_other_group() -> None:
    assert normalised(" Straße\tX ") == "strasse x"


@given(st.lists(st.text(max_size=6), max_size=80), st.integers(0, 5), st.integers(2, 6))
def test_each_group_that_is_not_test_is_dev_in_one_fold(groups: list[str], seed: int, count: int) -> None:
    whole = split_by_group(groups, seed=seed, fractions=SHARES)
    folds = [split_by_group(groups, seed=seed, fractions=SHARES, fold=Fold(i, count)) for i in range(count)]
    for row, name in enumerate(groups):
        own = [fold[row] for fold in folds]
        assert own.count("dev") == (whole[row] != "test")
        assert all(split == "test" for split in own) == (whole[row] == "test")
        assert own == [fold[groups.index(name)] for fold in folds]


@given(
    st.lists(st.tuples(st.integers(0, 30), st.sampled_from("abc")), min_size=1, max_size=80),
    st.integers(0, 5),
    st.integers(2, 5),
)
def test_folds_have_equally_many_groups_of_each_label(rows: list[tuple[int, str]], seed: int, count: int) -> None:
    groups = [f"g{number}" for number, _ in rows]
    labels: list[str | None] = [label for _, label in rows]
    folds = [
        split_by_group(groups, seed=seed, fractions=SHARES, fold=Fold(i, count), labels=labels) for i in range(count)
    ]
    plain = split_by_group(groups, seed=seed, fractions=SHARES)
    held_out: dict[str, list[int]] = {}
    for name in dict.fromkeys(groups):
        own = [tuple(fold[row] for row, group in enumerate(groups) if group == name) for fold in folds]
        assert all(len(set(parts)) == 1 for parts in own)  # a group is whole
        splits = [parts[0] for parts in own]
        if plain[groups.index(name)] == "test":
            assert splits == ["test"] * count
            continue
        assert sorted(splits) == ["dev", *["train"] * (count - 1)]
        held_out.setdefault(str(labels[groups.index(name)]), []).append(splits.index("dev"))
    for numbers in held_out.values():
        sizes = np.bincount(numbers, minlength=count)
        assert sizes.max() - sizes.min() <= 1


def test_folds_are_about_alike() -> None:
    groups = [str(i) for i in range(20_000)]
    folds = [split_by_group(groups, seed=3, fractions=SHARES, fold=Fold(i, 5)) for i in range(5)]
    np.testing.assert_allclose([(fold == "dev").mean() for fold in folds], [0.18] * 5, atol=0.01)


@settings(max_examples=200)
@given(ROWS, st.integers(2, 5))
def test_folds_go_forward_in_time(rows: list[tuple[int, float]], count: int) -> None:
    users, times = [f"U{u}" for u, _ in rows], np.array([t for _, t in rows])

    def split(fold: Fold | None) -> np.ndarray:
        return split_by_user_and_time(users, times.tolist(), ["q"] * len(rows), seed=0, fractions=SHARES, fold=fold)

    whole = split(None)
    seen: set[str] = set()
    for number in range(count):
        fold = split(Fold(number, count))
        assert ((fold == "test") == (whole == "test")).all()
        assert not set(np.array(users)[fold == "dev"]) & set(np.array(users)[fold == "train"])
        learnt, held_out = times[fold == "train"], times[fold == "dev"]
        assert learnt.max(initial=-np.inf) < held_out.min(initial=np.inf)
        assert not seen & set(np.array(users)[fold == "dev"])
        seen |= set(np.array(users)[fold == "dev"])


def test_forward_folds_grow() -> None:
    times = [float(i) for i in range(120)]
    users = [f"U{i}" for i in range(120)]
    shares = (0.75, 0.0833333333333, 0.1666666666667)
    folds = [
        split_by_user_and_time(users, times, ["q"] * 120, seed=0, fractions=shares, fold=Fold(i, 4)) for i in range(4)
    ]
    assert [(fold == "train").sum() for fold in folds] == [20, 40, 60, 80]
    assert [(fold == "dev").sum() for fold in folds] == [20] * 4
    assert [(fold == "aside").sum() for fold in folds] == [60, 40, 20, 0]
