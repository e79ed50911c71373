"""Classification of one target through the masked-LM head."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from torch import nn

from shopguide.build import build_loss
from shopguide.config import FinetuneConfig, ModelConfig
from shopguide.errors import ConfigError
from shopguide.experiment.heads.classification import ClassificationHead
from shopguide.experiment.heads.head import Start
from shopguide.inference.card import Card
from shopguide.inference.prompt_predictor import PromptPredictor
from shopguide.models.backbone import backbone_config, build_model
from shopguide.objectives.prompting import Prompting
from shopguide.tasks.labels import label_counts
from shopguide.tasks.task import Examples, Task
from shopguide.text.examples import EncodedTexts
from shopguide.text.prompt import Prompt


class PromptHead(ClassificationHead):
    """The pretrained head, asked for the classes' words."""

    network_head = "masked_lm"
    answerer = PromptPredictor

    def card(self, task: Task, train: Examples, config: FinetuneConfig) -> Card:
        """One target.

        Raises:
            ConfigError: the task has several, or the template is none.
        """
        found = super().card(task, train, config)
        if len(found.targets) != 1:
            raise ConfigError(
                f"finetune.prompt: task `{task.name}` has several targets ({', '.join(found.targets)}), expected one"
            )
        return replace(found, kind="prompt", prompt=Prompt.from_plain(config.prompt or {}).plain())

    def outputs(self, card: Card) -> list[str]:
        """None of its own: the words are there."""
        return []

    def probe(self, predictor: Any, train: Examples) -> None:
        """There is no new layer."""

    def network(self, model: ModelConfig, tokenizer: Any, cards: Sequence[Card]) -> nn.Module:
        """The backbone with the head that it was pretrained with."""
        return build_model(model.path, backbone_config(model), self.network_head, tokenizer)

    def encoded(self, tokenizer: Any, examples: Examples, card: Card) -> EncodedTexts:
        """With the template around each text."""
        asked = Prompt.from_plain(card.prompt or {}).asked(tokenizer, examples.first)
        return super().encoded(tokenizer, replace(examples, first=asked), card)

    def objective(self, start: Start, cards: Sequence[Card], train: EncodedTexts) -> Prompting:
        """The configured loss, of the words."""
        assert train.labels is not None
        (card,) = cards
        ((_, classes),) = card.targets.items()
        return Prompting(
            start.network,
            start.optimizer,
            label_counts(train.labels, card.targets)[0],
            start.tokenizer.mask_token_id,
            Prompt.from_plain(card.prompt or {}).word_ids(start.tokenizer, classes),
            build_loss(start.config.loss),
            start.config.label_smoothing,
            start.config.r_drop,
            card.gains,
        )


HEAD = PromptHead()
