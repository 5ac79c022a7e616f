"""What every synthesized template must pass, and how a finding is acknowledged with its reason."""

from aws_cdk import Acknowledgment, App, Validations
from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct


def add_checks(app: App) -> None:
    """Fail `synth` when a template breaks one of cdk-nag's AWS Solutions rules."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))


def acknowledge(construct: IConstruct, reasons: dict[str, str]) -> None:
    """Accept findings on a construct and what lies below it.

    Args:
        construct: As close to the finding as possible.
        reasons: Why, by rule; a rule such as `AwsSolutions-IAM5[Resource::*]` names one finding.
    """
    Validations.of(construct).acknowledge(
        *(Acknowledgment(id=rule, reason=reason) for rule, reason in reasons.items())
    )
