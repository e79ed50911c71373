from pathlib import Path

import pytest

from shopguide.errors import ModelError
from shopguide.inference.wording import LONGEST, PROMPT, Writer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small GPT-2 with random weights."""
    from transformers import GPT2Config, GPT2LMHeadModel, set_seed

    from shopguide.text.tokenizer import train_tokenizer

    place = tmp_path_factory.mktemp("gpt")
    tokenizer = train_tokenizer(["the boot is red and made of leather, is it"] * 20, 300, "gpt2")
    tokenizer.save_pretrained(place)
    set_seed(0)
    shape = GPT2Config(vocab_size=len(tokenizer), n_embd=16, n_layer=1, n_head=2, n_positions=512)
    GPT2LMHeadModel(shape).save_pretrained(place)
    return place


def test_it_writes_what_is_most_probable_after_fact_and_question(folder: Path) -> None:
    import torch

    writer = Writer(str(folder))
    said = writer.write("is it red", "colour: red")
    assert said == writer.write("is it red", "colour: red")
    ids = writer._tokenizer(PROMPT.format(fact="colour: red", question="is it red"))["input_ids"]
    with torch.no_grad():
        for _ in range(LONGEST):
            last = int(writer._model(torch.tensor([ids])).logits[0, -1].argmax())
            ids.append(last)
            if last == writer._tokenizer.eos_token_id or "\n" in writer._tokenizer.decode([last]):
                break
    whole = writer._tokenizer.decode(ids, skip_special_tokens=True)
    told = whole.rpartition("Answer:")[2].strip()
    assert said == (told.splitlines()[0].strip() if told else "")


def test_what_is_longer_than_the_model_reads_is_not_written(folder: Path) -> None:
    assert Writer(str(folder)).write("is it red " * 100, "colour: red") == ""


def test_what_is_no_such_model_is_told(folder: Path, tmp_path: Path) -> None:
    from transformers import BertConfig, ViTConfig

    with pytest.raises(ModelError, match=r"tokenizer `.*nope`: expected a hub name or a folder"):
        Writer(str(tmp_path / "nope"))
    other = tmp_path / "other"
    other.mkdir()
    for file in folder.glob("*token*"):
        (other / file.name).write_bytes(file.read_bytes())
    with pytest.raises(ModelError, match="other"):
        Writer(str(other))
    BertConfig().save_pretrained(other)
    with pytest.raises(ModelError, match=r"writer=.*a `bert` backbone writes no text"):
        Writer(str(other))
    ViTConfig().save_pretrained(other)
    with pytest.raises(ModelError, match=r"writer=.*a `vit` backbone writes no text"):
        Writer(str(other))
