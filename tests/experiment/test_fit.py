"""Which epoch's metrics stand for a phase."""

from shopguide.experiment.fit import DevHistory


def test_the_kept_epoch_is_the_best_by_the_monitor_the_first_of_equals() -> None:
    history = DevHistory()
    assert history.kept("dev/loss") == {}
    history.load_state_dict(
        {
            "epochs": [
                {"dev/loss": 2.0, "dev/accuracy": 0.5},
                {"dev/loss": 1.0, "dev/accuracy": 0.6},
                {"dev/loss": 1.5, "dev/accuracy": 0.6},
            ]
        }
    )
    assert history.kept("dev/loss") == {"dev/loss": 1.0, "dev/accuracy": 0.6}
    assert history.kept("dev/accuracy")["dev/loss"] == 1.0
    assert history.kept(None)["dev/loss"] == 1.5
