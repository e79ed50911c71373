"""Phase `pretrain`: continue a backbone's pretraining on the shop's text."""

import hashlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from shopguide.config import MaskingConfig, ModelConfig, OptimizerConfig, PretrainConfig
from shopguide.experiment.entities import entities
from shopguide.experiment.fit import Fitted, Place, Plan, fit
from shopguide.experiment.prepare import Material
from shopguide.inference.saved_model import save_model
from shopguide.models.backbone import backbone_config, build_model, pretraining_objective
from shopguide.models.unpadded import runs_unpadded
from shopguide.objectives.language_model import CausalLM, LanguageModel, MaskedLM
from shopguide.text.batches import Batches, BatchLoader, loading_workers
from shopguide.text.corpus import Corpus, TokenTable, tokenised_corpus
from shopguide.text.documents import pretraining_documents
from shopguide.text.examples import CausalExamples, Collate, MaskedExamples
from shopguide.text.masking import Masker
from shopguide.text.plan import BatchPlan
from shopguide.text.segmenter import joining, make_segmenter


@dataclass(frozen=True)
class Pretrained:
    """The backbone with its LM head, the text it read and what that cost."""

    model: nn.Module
    tokenizer: Any
    objective: str
    corpus: Corpus
    fitted: Fitted

    def save(self, folder: str | Path) -> None:
        """Write a Hugging Face folder, from which fine-tuning starts (`model.path=…`)."""
        save_model(Path(folder), self.model, self.tokenizer)


def pretrain(
    config: PretrainConfig,
    optimizer: OptimizerConfig,
    model: ModelConfig,
    tokenizer: Any,
    material: Material,
    place: Place,
) -> Pretrained:
    """Train on the text of the training split.

    Args:
        config: what is read, how it is masked, how long and how fast.
        optimizer: AdamW and its schedule; the learning rate is `config`'s own.
        model: the backbone.
        tokenizer: of the backbone.
        material: the shop.
        place: of training.

    Raises:
        ConfigError, DataError, ModelError: as the settings, the records or the weights do not serve.
    """
    shape = backbone_config(model)
    objective = pretraining_objective(shape, config.objective)
    if objective == "masked_lm" and tokenizer.mask_token_id is None:
        objective = pretraining_objective(shape, "causal_lm")
    corpus = build_corpus(config, tokenizer, material)
    torch.manual_seed(place.seed)
    network = build_model(model.path, shape, objective, tokenizer)
    cls: type[LanguageModel] = MaskedLM if objective == "masked_lm" else CausalLM
    module = cls(network, replace(optimizer, lr=config.lr))
    train = _loader(corpus.train, config, tokenizer, objective, network, place, shuffle=True)
    held_out = _loader(corpus.held_out, config, tokenizer, objective, network, place, shuffle=False)
    plan = Plan("pretrain", config.epochs, "dev/loss", config.patience)
    fitted = fit(module, train, held_out if len(corpus.held_out) else None, plan, place)
    return Pretrained(network, tokenizer, objective, corpus, fitted)


def build_corpus(config: PretrainConfig, tokenizer: Any, material: Material) -> Corpus:
    """The tokenised text, from the cache where it is there."""
    documents = pretraining_documents(material.shop, material.parts, config.documents, config.fields)
    data, masking = material.data, config.masking
    segmenter, phrases = make_segmenter(masking.segmenter), sorted(entities(masking.entities, material))
    identity = {
        "data": material.shop.fingerprint,
        "split": asdict(data.split),
        "documents": config.documents,
        "fields": config.fields,
        "segmenter": masking.segmenter,
        "entities": hashlib.sha256("\n".join(phrases).encode()).hexdigest() if phrases else None,
    }
    return tokenised_corpus(
        documents,
        tokenizer,
        max_length=config.max_length,
        held_out=config.held_out,
        segmenter=joining(set(phrases), segmenter) if phrases else segmenter,
        cache_dir=Path(material.cache_dir),
        identity=identity,
    )


def _loader(
    table: TokenTable,
    config: PretrainConfig,
    tokenizer: Any,
    objective: str,
    network: nn.Module,
    place: Place,
    shuffle: bool,
) -> BatchLoader:
    masked = objective == "masked_lm"
    examples = (
        MaskedExamples(table, make_masker(config.masking, tokenizer, place.seed)) if masked else CausalExamples(table)
    )
    batch = config.batch
    plan = BatchPlan(table.lengths, batch.size, batch.tokens, place.seed, shuffle, runs_unpadded(network))
    workers = loading_workers(batch.num_workers, place.device)
    return BatchLoader(examples, Batches(plan), Collate(tokenizer.pad_token_id), workers)


def make_masker(config: MaskingConfig, tokenizer: Any, seed: int) -> Masker:
    """The masker that a masking setting describes."""
    return Masker(
        mask_id=tokenizer.mask_token_id,
        vocab_size=len(tokenizer),
        special_ids=frozenset(tokenizer.all_special_ids),
        seed=seed,
        strategy=config.strategy,
        probability=config.probability,
        mask_share=config.mask_share,
        random_share=config.random_share,
    )
