"""The access keys that the emulator itself gives out: nobody can write one down."""

import time
from collections.abc import Iterator

import pytest
from ministack.core import iam_evaluator
from ministack.services import sts

from localcloud.emulator import keys

ROLE = "arn:aws:iam::000000000000:role/path/spine-Plan"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No session but the test's own, and the cloud's key in the environment."""
    monkeypatch.setattr(sts, "_sessions", {})
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOWN")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "own-secret")
    yield
    keys.configure(enforce_iam=False)


def test_a_session_is_the_same_each_time_and_its_own_for_each_role_and_name() -> None:
    """A function's processes share it; another's calls are told apart."""
    first = keys.session(ROLE, "plan")
    assert keys.session(ROLE, "plan") == first
    others = [keys.session(ROLE, "other"), keys.session(f"{ROLE}2", "plan")]
    found = [each["AWS_ACCESS_KEY_ID"] for each in (first, *others)]
    assert len(set(found)) == 3
    assert all(key.startswith("ASIA") and len(key) == 36 for key in found)
    assert len(set(first.values())) == 3


def test_the_calls_of_a_session_are_made_under_its_role(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under the ARN that STS would give it, and by the secret that was handed out."""
    registered: dict[str, dict[str, str]] = {}
    monkeypatch.setattr(sts, "register_session", registered.__setitem__)
    found = keys.session(ROLE, "plan")
    session = registered[found["AWS_ACCESS_KEY_ID"]]
    assert session["Arn"] == "arn:aws:sts::000000000000:assumed-role/spine-Plan/plan"
    assert session["SecretAccessKey"] == found["AWS_SECRET_ACCESS_KEY"]
    assert session["SessionToken"] == found["AWS_SESSION_TOKEN"]


def test_nobody_can_derive_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """It hangs on a seed of this process, not on names alone."""
    before = keys.session(ROLE, "plan")
    monkeypatch.setattr(keys, "_seed", b"another")
    assert keys.session(ROLE, "plan")["AWS_ACCESS_KEY_ID"] != before["AWS_ACCESS_KEY_ID"]


def test_a_key_of_sts_counts_until_it_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    """One without an end counts as long as the cloud runs."""
    now = time.time()
    sessions = {"ASIALIVES": {"Expiration": now + 60}, "ASIAOVER": {"Expiration": now - 1}}
    monkeypatch.setattr(sts, "_sessions", {**sessions, "ASIAEVER": {}})
    assert [keys.issued(key) for key in ("ASIALIVES", "ASIAOVER", "ASIAEVER")] == [
        True,
        False,
        True,
    ]


def test_a_key_of_iam_counts_if_it_is_one_accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What IAM has not issued, or cannot tell whose it is, comes not in."""

    def account(key: str) -> str | None:
        if key == "AKIATWICE":
            raise iam_evaluator.AmbiguousAccessKeyError(key)
        return "000000000000" if key == "AKIAUSER" else None

    monkeypatch.setattr(iam_evaluator, "find_iam_access_key_account", account)
    assert [keys.issued(key) for key in ("AKIAUSER", "AKIATWICE", "000000000000")] == [
        True,
        False,
        False,
    ]


def test_functions_have_the_clouds_own_key_unless_roles_decide() -> None:
    """Then each acts under its own, by a name that fits a session's 64 letters."""
    config = {"Role": ROLE, "FunctionName": "f" * 80}
    keys.configure(enforce_iam=False)
    assert keys._credentials(config) == {
        "AWS_ACCESS_KEY_ID": "AKIAOWN",
        "AWS_SECRET_ACCESS_KEY": "own-secret",
        "AWS_SESSION_TOKEN": "",
    }
    keys.configure(enforce_iam=True)
    assert keys._credentials(config) == keys.session(ROLE, "f" * 64)


@pytest.mark.parametrize(
    ("address", "signed"),
    [
        ("http://x/code", "http://x/code?X-Amz-Credential=AKIAOWN/lambda"),
        ("http://x/code?v=1", "http://x/code?v=1&X-Amz-Credential=AKIAOWN/lambda"),
    ],
)
def test_the_address_of_code_names_the_clouds_key(address: str, signed: str) -> None:
    """The door lets in nobody without one."""
    assert keys._signed_code_url(lambda _: address, "f") == signed
    assert keys._signed_layer_url(lambda *_: address, "layer", 1) == signed
