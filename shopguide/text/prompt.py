"""A text made into a gap to be filled, and the word that stands for each class."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from shopguide.config import MASK, TEXT, template_fault
from shopguide.errors import ConfigError


@dataclass(frozen=True)
class Prompt:
    """A template with `[MASK]` and, after it, `{text}`; and class → word."""

    template: str
    words: Mapping[str, str]

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Prompt":
        """From a setting or a card.

        Raises:
            ConfigError: the template lacks one of the two, or the text stands before the mask, which a long one would
                push out.
        """
        if fault := template_fault(plain.get("template")):
            raise ConfigError(f"finetune.{fault}")
        return cls(plain["template"], dict(plain.get("words") or {}))

    def plain(self) -> dict[str, Any]:
        """For a JSON file."""
        return asdict(self)

    def asked(self, tokenizer: Any, texts: Sequence[str]) -> list[str]:
        """The template around each text; a mask within a text is no gap."""
        before, after = self.template.split(TEXT, 1)
        before = before.replace(MASK, tokenizer.mask_token, 1)
        return [f"{before}{text.replace(tokenizer.mask_token, ' ')}{after}" for text in texts]

    def word_ids(self, tokenizer: Any, classes: Sequence[str]) -> list[int]:
        """(C,) the token of each class's word; of a class without a word, its own name is the word.

        Raises:
            ConfigError: a word is of no class, is more than one token, or that of two classes.
        """
        if unknown := sorted(set(self.words) - set(classes)):
            raise ConfigError(
                f"finetune.prompt.words: expected words of the classes {', '.join(classes)}; found {', '.join(unknown)}"
            )
        found: dict[str, int] = {}
        for name in classes:
            word = str(self.words.get(name, name))
            ids = tokenizer(word, add_special_tokens=False)["input_ids"]
            if len(ids) != 1 or ids[0] == tokenizer.unk_token_id or ids[0] in found.values():
                raise ConfigError(
                    f"finetune.prompt.words.{name}={word}: expected one token that no other class has, "
                    f"found {tokenizer.convert_ids_to_tokens(ids)}"
                )
            found[name] = ids[0]
        return list(found.values())
