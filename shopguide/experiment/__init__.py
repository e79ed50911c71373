"""The phases of one experiment in plain Python: what the train command and a notebook both call."""

from shopguide.experiment.finetune import Finetuned, finetune
from shopguide.experiment.fit import Place
from shopguide.experiment.prepare import Material, load_material, load_or_train_tokenizer
from shopguide.experiment.pretrain import Pretrained, pretrain
from shopguide.experiment.run import Outcome, run_experiment

__all__ = [
    "Finetuned",
    "Material",
    "Outcome",
    "Place",
    "Pretrained",
    "finetune",
    "load_material",
    "load_or_train_tokenizer",
    "pretrain",
    "run_experiment",
]
