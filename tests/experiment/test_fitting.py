import pytest

from shopguide.config import LOSSES, FinetuneConfig
from shopguide.errors import ConfigError
from shopguide.experiment.fitting import check_counted, check_loss
from shopguide.tasks.match import Match
from shopguide.tasks.need import Need
from shopguide.tasks.relevance import Relevance
from shopguide.tasks.task import Examples


def config(loss: str, **more: object) -> FinetuneConfig:
    target = {"ordinal": "ordinal.Ordinal", "listwise": "listwise.Listwise", "focal": "focal.Focal"}[loss]
    return FinetuneConfig(epochs=1, loss={"target": f"{LOSSES}.{target}"}, **more)  # type: ignore[arg-type]


def examples(*labels: str, lists: bool = True) -> Examples:
    ids = [str(i) for i in range(len(labels))]
    return Examples(
        first=ids,
        labels={"grade": list(labels)},
        split=["train"] * len(labels),
        groups=ids,
        lists=ids if lists else None,
    )


def test_losses_of_grades_go_with_grades() -> None:
    relevance = Relevance(name="relevance")
    for loss in ("ordinal", "listwise", "focal"):
        check_loss(config(loss), [(relevance, examples("1", "2", "3"))])
    check_loss(config("focal"), [(Need(name="need"), examples("a", "b"))])
    with pytest.raises(ConfigError, match=r"loss=ordinal: expected grades in an order, found none in task `need`"):
        check_loss(config("ordinal"), [(Need(name="need"), examples("a", "b", lists=False))])
    with pytest.raises(ConfigError, match=r"found bad, good in task `relevance`; .*gains=\{bad: …, good: …\}"):
        check_loss(config("listwise"), [(relevance, examples("good", "bad"))])


def test_losses_of_lists_go_with_lists() -> None:
    relevance = Relevance(name="relevance")
    with pytest.raises(ConfigError, match=r"loss=listwise: expected lists .* found finetune.shared=true"):
        check_loss(config("listwise", shared=True), [(relevance, examples("1", "2"))])
    with pytest.raises(ConfigError, match=r"found none in task `relevance`"):
        check_loss(config("listwise"), [(relevance, examples("1", "2", lists=False))])
    check_loss(config("ordinal", shared=True), [(relevance, examples("1", "2", lists=False))])


def test_the_positive_label_is_one_of_them() -> None:
    check_counted([(Match(name="match"), examples("0", "1")), (Need(name="need"), examples("a", "b"))])
    check_counted([(Match(name="match", positive="yes"), examples("no", "yes"))])
    with pytest.raises(ConfigError, match=r"tasks.match.positive=1: expected one of the labels, which are no, yes"):
        check_counted([(Match(name="match"), examples("no", "yes"))])
