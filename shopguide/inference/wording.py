"""A GPT-like model that words an answer from what it rests on."""

from typing import Any

from shopguide.config import ModelConfig
from shopguide.errors import ModelError
from shopguide.models.backbone import backbone_config, build_model
from shopguide.text.tokenizer import load_tokenizer

PROMPT = """Fact: weight: 2 kg
Question: how heavy is it?
Answer: The weight is 2 kg.

Fact: Not for the dishwasher.
Question: may I put it into the dishwasher?
Answer: It is not for the dishwasher.

Fact: 材质: 纯棉
Question: 什么材质的
Answer: 材质是纯棉。

Fact: {fact}
Question: {question}
Answer:"""
"""Examples, which any model goes on with, taught to chat or not (Brown et al. 2020)."""
LONGEST, LONGEST_PROMPT = 48, 1024
"""Tokens of an answer; and of what a model reads that does not tell how much that is."""


class Writer:
    """Writes, always the same for the same question and fact.

    Args:
        path: hub name or folder of a causal language model with its tokenizer.

    Raises:
        ModelError: none is there, or it is no causal language model.
    """

    def __init__(self, path: str) -> None:
        from transformers import AutoModelForCausalLM, AutoModelForMaskedLM

        self._tokenizer = load_tokenizer(path)
        config = backbone_config(ModelConfig(name="writer", path=path))
        reads = type(config) in AutoModelForMaskedLM._model_mapping and not config.is_decoder
        if reads or type(config) not in AutoModelForCausalLM._model_mapping:
            raise ModelError(f"writer={path}: a `{config.model_type}` backbone writes no text; name a GPT-like one")
        self._longest = getattr(config, "max_position_embeddings", LONGEST_PROMPT) - LONGEST
        self._model: Any = build_model(path, config, "causal_lm", self._tokenizer).eval()

    def write(self, question: str, fact: str) -> str:
        """One line; none where question and fact are longer than the model reads.

        Args:
            question: of a shopper.
            fact: from which it is answered.
        """
        import torch

        tokens = torch.tensor([self._tokenizer(PROMPT.format(fact=fact, question=question))["input_ids"]])
        start = tokens.shape[1]
        if start > self._longest:
            return ""

        def told(ids: torch.Tensor, _scores: torch.Tensor, **_more: Any) -> torch.Tensor:
            lines = [self._tokenizer.decode(row[start:]).lstrip().splitlines() for row in ids]
            return torch.tensor([len(own) > 1 for own in lines])

        with torch.inference_mode():
            found = self._model.generate(
                tokens,
                attention_mask=torch.ones_like(tokens),
                max_new_tokens=LONGEST,
                do_sample=False,
                pad_token_id=self._tokenizer.pad_token_id,
                stopping_criteria=[told],
            )
        text = str(self._tokenizer.decode(found[0, start:], skip_special_tokens=True)).strip()
        return text.splitlines()[0].strip() if text else ""
