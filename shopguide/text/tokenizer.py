"""The tokenizer: by hub name or local folder, or trained on the shop's own text by the `tokenizers` library.

WordPiece (lower-cased, each Chinese character a word of its own, as BERT does) for encoders; byte-level BPE for
decoders.
"""

import contextlib
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from shopguide.errors import ModelError

DECODERS = ("gpt2", "gpt_neo", "gpt_neox", "llama", "mistral", "qwen2", "opt", "bloom")
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def load_tokenizer(name_or_folder: str) -> Any:
    """A pretrained tokenizer, with a padding token.

    Raises:
        ModelError: none is there.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(name_or_folder, use_fast=True)
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(
            f"tokenizer `{name_or_folder}`: expected a hub name or a folder with tokenizer files; {reason}"
        ) from error
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    return tokenizer


def train_tokenizer(texts: Iterable[str], vocab_size: int, model_type: str) -> Any:
    """A tokenizer for a backbone with random weights: BPE for decoders, WordPiece for all others."""
    return _train_bpe(texts, vocab_size) if model_type in DECODERS else _train_wordpiece(texts, vocab_size)


def _train_wordpiece(texts: Iterable[str], vocab_size: int) -> Any:
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    normalizer, splitter = normalizers.BertNormalizer(lowercase=True), pre_tokenizers.BertPreTokenizer()
    words = Counter(word for text in texts for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text)))
    core = Tokenizer(models.WordPiece(_wordpieces(words, vocab_size), unk_token="[UNK]"))
    core.normalizer, core.pre_tokenizer, core.decoder = normalizer, splitter, decoders.WordPiece()
    cls, sep = core.token_to_id("[CLS]"), core.token_to_id("[SEP]")
    core.post_processor = processors.BertProcessing(("[SEP]", sep), ("[CLS]", cls))  # type: ignore[arg-type]
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )


def _wordpieces(words: Counter[str], vocab_size: int) -> dict[str, int]:
    """Piece → id, the same in every process.

    The trainer numbers the inner characters in the order of a hash that each process seeds anew, and breaks ties by
    those numbers. Named before all others, in alphabetical order, they are always the same.
    """
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    inner = sorted({f"##{character}" for word in words for character in word[1:]})
    core = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.WordPieceTrainer(vocab_size=vocab_size, special_tokens=[*SPECIAL, *inner], show_progress=False)
    core.train_from_iterator((f"{word} " * count for word, count in sorted(words.items())), trainer)
    return core.get_vocab()


def _train_bpe(texts: Iterable[str], vocab_size: int) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    end = "<|endoftext|>"
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    core.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=vocab_size, special_tokens=[end], initial_alphabet=alphabet, show_progress=False
        ),
    )
    return PreTrainedTokenizerFast(tokenizer_object=core, bos_token=end, eos_token=end, unk_token=end, pad_token=end)


@contextlib.contextmanager
def cutting(backend: Any, max_length: int | None) -> Iterator[None]:
    """A tokenizer of the `tokenizers` library does not pad, and cuts at `max_length` or not at all, for that time."""
    truncation, padding = backend.truncation, backend.padding
    backend.no_truncation() if max_length is None else backend.enable_truncation(max_length)
    backend.no_padding()
    try:
        yield
    finally:
        backend.enable_truncation(**truncation) if truncation else backend.no_truncation()
        if padding:
            backend.enable_padding(**padding)


def tokenizer_fingerprint(tokenizer: Any) -> str:
    """Hash of everything that decides the token ids (16 hex digits); the cut and padding of the last call aside."""
    backend = tokenizer.backend_tokenizer
    with cutting(backend, None):
        return hashlib.sha256(backend.to_str().encode()).hexdigest()[:16]
