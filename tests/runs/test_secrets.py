import pytest

from shopguide.runs.secrets import mask_secrets, mask_uri


@pytest.mark.parametrize(
    "key", ["token", "hf_token", "API_KEY", "db.password", "aws_secret", "accesskey", "credentials"]
)
def test_a_secret_is_masked_wherever_it_stands(key: str) -> None:
    assert mask_secrets({"a": [{key: "abc"}]}) == {"a": [{key: "***"}]}


@pytest.mark.parametrize("key", ["tokenizer", "max_tokens", "tokens", "monkey", "secretary"])
def test_what_only_looks_like_one_is_shown(key: str) -> None:
    assert mask_secrets({key: "abc"}) == {key: "abc"}


def test_what_is_not_set_is_shown_as_such() -> None:
    assert mask_secrets({"token": None}) == {"token": None}


def test_logins_in_uris() -> None:
    assert mask_uri("see postgres://me:pw@host/db and http://host") == "see postgres://***@host/db and http://host"
    assert mask_secrets({"uri": "http://me:pw@host"}) == {"uri": "http://***@host"}
