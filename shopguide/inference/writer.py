"""A GPT-like model that words an answer from what it rests on."""

from typing import Any

from shopguide.config import ModelConfig
from shopguide.errors import ModelError
from shopguide.models.backbone import backbone_config, build_model
from shopguide.text.tokenizer import load_tokenizer

ASKED = "Answer a shopper's question in one short sentence. Use nothing but this fact on the product: {fact}"
PLAIN = "Fact on the product: {fact}\nQuestion: {question}\nAnswer:"
"""For a model that was not taught to chat."""
LONGEST = 48
"""Tokens of an answer."""


class Writer:
    """Writes, always the same for the same question and fact.

    Args:
        path: hub name or folder of a causal language model with its tokenizer.

    Raises:
        ModelError: none is there, or it is no causal language model.
    """

    def __init__(self, path: str) -> None:
        from transformers import AutoModelForCausalLM

        self._tokenizer = load_tokenizer(path)
        config = backbone_config(ModelConfig(name="writer", path=path))
        if type(config) not in AutoModelForCausalLM._model_mapping:
            raise ModelError(f"writer={path}: a `{config.model_type}` backbone writes no text; name a GPT-like one")
        self._model: Any = build_model(path, config, "causal_lm", self._tokenizer).eval()

    def write(self, question: str, fact: str) -> str:
        """One sentence.

        Args:
            question: of a shopper.
            fact: from which it is answered.
        """
        import torch

        tokens = torch.tensor([self._prompt(question, fact)])
        with torch.inference_mode():
            found = self._model.generate(
                tokens,
                attention_mask=torch.ones_like(tokens),
                max_new_tokens=LONGEST,
                do_sample=False,
                pad_token_id=self._tokenizer.pad_token_id,
            )
        text = str(self._tokenizer.decode(found[0, tokens.shape[1] :], skip_special_tokens=True)).strip()
        return text.splitlines()[0].strip() if text else ""

    def _prompt(self, question: str, fact: str) -> list[int]:
        if self._tokenizer.chat_template is None:
            found = self._tokenizer(PLAIN.format(fact=fact, question=question))["input_ids"]
        else:
            chat = [{"role": "system", "content": ASKED.format(fact=fact)}, {"role": "user", "content": question}]
            found = self._tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=False)
        return list(found)
