"""The page around every report."""

import re

import pytest

from tests.evaluation import batch, binary_report, evaluate, event, page, regression_event


def test_the_report_needs_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """No script, no request of any kind, and a policy that forbids them."""
    page = binary_report(monkeypatch)
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert not {"src", "href", "xlink:href"} & {name for name, _ in page.attributes}
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes
    style = next(text for text in page.texts if ":root" in text)
    assert "url(" not in style
    assert "@import" not in style


def test_no_minimum_is_said_to_be_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty gate passes, but the report does not boast of it."""
    page = binary_report(monkeypatch, event(minimum={}))
    assert "No minimum asked for" in page.text
    assert "Quality gate passed" not in page.text


def test_a_value_just_short_of_its_minimum_is_shown_in_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rounded, 0.66666 would look like the 0.6667 it was asked to reach."""
    page = binary_report(monkeypatch, event(minimum={"recall": 0.6667}))
    assert "0.6666666666666666 not passed" in page.text


def test_a_value_just_above_its_maximum_is_shown_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounded, 1.2000001 would look like the 1.2 it was asked not to exceed."""
    _, s3 = evaluate(
        monkeypatch, [0, 10], batch([1.2000001, 11.2000001]), regression_event(maximum={"mae": 1.2})
    )
    assert re.search(r"1\.20000\d+ not passed", page(s3).text)


def test_warnings_about_the_data_are_in_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what to do; nothing is said where there are none."""
    assert "Warnings about the data" not in binary_report(monkeypatch).text
    given = event()
    given["prepared"]["warnings"] = [
        {"name": "DuplicateRowsWarning", "message": "<b>9 rows</b> repeat one.", "remedy": "Look."}
    ]
    page = binary_report(monkeypatch, given)
    assert "Warnings about the data" in page.text
    assert "<b>9 rows</b> repeat one. Look." in page.text
