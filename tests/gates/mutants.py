"""One change to the policies of the real app, which a rule must notice."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gates.assembly import Assembly

Templates = dict[str, dict[str, Any]]
# Takes the templates, by room.
Change = Callable[[Templates], object]


def policy_of(templates: Templates, name: str) -> list[dict[str, Any]]:
    """The statements of the policy of a role, which is called so at first."""
    for template in templates.values():
        for logical_id, resource in template["Resources"].items():
            if resource["Type"] == "AWS::IAM::Policy" and logical_id.startswith(name):
                found: list[dict[str, Any]] = resource["Properties"]["PolicyDocument"]["Statement"]
                return found
    raise AssertionError(name)


def role_of(templates: Templates, name: str) -> dict[str, Any]:
    """The properties of a role, which is called so at first."""
    for template in templates.values():
        for logical_id, resource in template["Resources"].items():
            if resource["Type"] == "AWS::IAM::Role" and logical_id.startswith(name):
                found: dict[str, Any] = resource["Properties"]
                return found
    raise AssertionError(name)


def add(templates: Templates, action: str, resource: str) -> None:
    """Allow one function's role an action more."""
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    policy_of(templates, "PlanRole").append(statement)


def mutated(assembly: Assembly, change: Change) -> Assembly:
    """A copy of an app with one change."""
    made = replace(assembly)
    templates = copy.deepcopy(assembly.templates)
    change(templates)
    # What a cached property keeps: the copy reads these templates rather than the files.
    made.__dict__["templates"] = templates
    return made
