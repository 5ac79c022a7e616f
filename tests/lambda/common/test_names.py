"""Names fit SageMaker's rules, keep runs apart, and are found again."""

import re
import unicodedata
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from spine.shipped import load

kinds = load("common.kinds")
names = load("common.names")

# CreateEndpoint, EndpointName, as the API reference gives it.
SAGEMAKER_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
PREFIXES = st.from_regex(r"[a-z][a-z0-9]{0,4}-[a-z0-9]{1,8}", fullmatch=True)


@pytest.mark.slow
@given(
    name=st.text(min_size=1, max_size=80),
    arn=st.text(max_size=200),
    prefix=PREFIXES,
)
@settings(deadline=None)
def test_any_execution_gives_names_sagemaker_accepts(name: str, arn: str, prefix: str) -> None:
    """Whatever the execution is called, its names fit, and the run owns them."""
    run = names.run_id(name, arn)
    assert len(run) <= 40
    base = names.base_name(prefix, run)
    assert len(base) <= 55
    for made in (base, f"{base}-0-0", f"{base}-999-999", f"{base}-00c0ys9"):
        assert SAGEMAKER_NAME.fullmatch(made)
        assert names.RESOURCE_NAME.fullmatch(made)
        assert names.belongs(made, base)


@given(first=st.text(max_size=80), second=st.text(max_size=80))
def test_runs_of_different_executions_have_different_names(first: str, second: str) -> None:
    """Names that differ only in capitals or punctuation do not collide."""
    same = names.run_id(first, f"arn:{first}") == names.run_id(second, f"arn:{second}")
    assert same == (first == second)


def test_a_run_does_not_own_what_another_run_made() -> None:
    """An execution may be called after a run; the digits of a hash are never taken for attempts."""
    base = "spine-dev-nightly-1a2b3c4d"
    assert not names.belongs(f"{base}-again-00000000", base)
    assert not names.belongs(f"{base}-0-12345678", base)
    assert not names.belongs(f"{base}-12345678", base)
    assert not names.belongs(f"{base}-again-0000000", base)
    assert not names.belongs(f"{base}5", base)
    assert not names.belongs(f"{base}-", base)
    assert not names.belongs("spine-dev-nightly", base)


def test_the_run_is_found_from_the_executions_arn() -> None:
    """The sweeper only has the ARN, and must come to the same run."""
    arn = "arn:aws:states:us-east-1:111122223333:execution:spine:My_Run.1"
    assert names.run_id_of(arn) == names.run_id("My_Run.1", arn)


@given(name=st.text(min_size=1, max_size=80))
@example("plain_Name-1.2=3+4@x")
@example("l'été (2)!")
@example("नमूना-🚀-«x»-e\u0301")
@settings(deadline=None)
def test_a_tag_holds_any_executions_name_or_says_that_it_cannot(name: str) -> None:
    """What tags refuse is written out, and read back; an ordinary ARN stays as it is."""
    assume("/" not in name)
    arn = f"arn:aws:states:us-east-1:111122223333:execution:spine-dev:{name}"
    try:
        tag = names.execution_tag(arn)
    except ValueError:
        assert len(arn) + 8 * len(name) > 256
        return
    assert len(tag) <= 256
    # [\p{L}\p{Z}\p{N}_.:/=+\-@]*, as the API reference gives it (Tag, Value).
    assert all(each in "_.:/=+-@" or unicodedata.category(each)[0] in "LZN" for each in tag)
    assert names.tagged_execution(tag) == arn
    if re.fullmatch(r"[\w.=+@-]+", name, re.ASCII):
        assert tag == arn


@pytest.mark.parametrize("written", ["/110000/", "/ffffffffff/", "/d800/", "/dfff/", "//", "/"])
def test_what_a_person_made_of_the_tag_is_read_as_it_stands(written: str) -> None:
    """One tag that nobody wrote out must not end the sweep of all the others."""
    arn = f"arn:aws:states:us-east-1:000000000000:execution:m:x{written}y"
    assert names.tagged_execution(arn) == arn


@pytest.mark.parametrize("prefix", ["Spine-dev", "spine_dev", "-spine", "spine-development", ""])
def test_a_prefix_sagemaker_would_refuse_fails_at_once(prefix: str) -> None:
    """A wrong deployment setting is an error of ours, not of the input."""
    with pytest.raises(ValueError, match="cannot name SageMaker resources"):
        names.base_name(prefix, "a" * 31 + "-00000000")


@given(name=st.text(min_size=1, max_size=80), prefix=PREFIXES, longest=st.integers(32, 63))
@settings(deadline=None)
def test_names_of_any_length_keep_the_prefix_and_the_runs_hash(
    name: str, prefix: str, longest: int
) -> None:
    """Policies allow the prefix, and the hash tells runs apart; the attempt still has room."""
    base = names.base_name(prefix, names.run_id(name, name))
    start = names.fitting(base, longest)
    assert start.startswith(f"{prefix}-")
    assert start.endswith(base[-9:])
    assert (start == base) == (len(base) <= longest - 8)
    for made in (start, f"{start}-0-0", f"{start}-999-999", f"{start}-zzzzzzz"):
        assert len(made) <= longest
        assert SAGEMAKER_NAME.fullmatch(made)
        assert names.belongs(made, start)


@pytest.mark.parametrize("kind", kinds.KINDS, ids=lambda kind: kind.noun)
def test_every_kind_has_room_for_a_runs_name(kind: Any) -> None:
    """The longest base of the longest prefix, whatever the kind's limit."""
    base = names.base_name("spine-" + "s" * 8, names.run_id("x" * 80, "arn"))
    assert len(f"{names.fitting(base, kind.longest_name)}-zzzzzzz") <= kind.longest_name


def test_the_longest_base_has_55_characters() -> None:
    """Eight are left of SageMaker's 63, for the attempt in a job's name."""
    run = "a" * 31 + "-00000000"
    assert len(names.base_name("s" * 14, run)) == 55
    with pytest.raises(ValueError, match="at most 14 lower-case letters"):
        names.base_name("s" * 15, run)
