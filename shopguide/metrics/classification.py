"""Accuracy, macro and weighted F1, and calibration error of a posterior over classes.

Shapes: N examples, C classes.
"""

import torch
from torchmetrics.functional.classification import (
    multiclass_accuracy,
    multiclass_calibration_error,
    multiclass_f1_score,
)

NAMES = ("accuracy", "macro_f1", "weighted_f1", "ece")
CALIBRATION_BINS = 15


def classification_metrics(posterior: torch.Tensor, truth: torch.Tensor) -> dict[str, float]:
    """The four metrics by name.

    Args:
        posterior: (N, C) probabilities.
        truth: (N,) class numbers; rows below 0 are unlabelled and do not count; a number of C or more is a class that
            the model does not know: never right.

    `macro_f1` is the mean over the classes that occur in the truth or in the predictions, as scikit-learn counts;
    `ece` is the L1 expected calibration error over 15 bins (Guo et al. 2017).
    """
    labelled = truth >= 0
    posterior, truth = posterior[labelled].float(), truth[labelled].long()
    if not len(truth):
        return dict.fromkeys(NAMES, float("nan"))
    classes = max(posterior.shape[1], int(truth.max()) + 1, 2)
    posterior = torch.nn.functional.pad(posterior, (0, classes - posterior.shape[1]))
    predicted = posterior.argmax(-1)
    scores = {
        "accuracy": multiclass_accuracy(predicted, truth, classes, average="micro"),
        "macro_f1": multiclass_f1_score(predicted, truth, classes, average="macro"),
        "weighted_f1": multiclass_f1_score(predicted, truth, classes, average="weighted"),
        "ece": multiclass_calibration_error(posterior, truth, classes, n_bins=CALIBRATION_BINS, norm="l1"),
    }
    return {name: float(value) for name, value in scores.items()}
