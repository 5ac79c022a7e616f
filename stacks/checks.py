"""What every synthesized template must pass, and how a finding is acknowledged with its reason."""

from aws_cdk import Acknowledgment, App, Validations
from cdk_nag import AwsSolutionsChecks, NIST80053R5Checks
from constructs import IConstruct


def add_checks(app: App, *, pack: str | None = None) -> None:
    """Fail `synth` when a template breaks one of cdk-nag's rules.

    Args:
        app: The app.
        pack: `nist` for NIST 800-53 in place of AWS Solutions; `gates` keeps its report only.
    """
    checks = NIST80053R5Checks(app) if pack == "nist" else AwsSolutionsChecks(app)
    Validations.of(app).add_plugins(checks)


def acknowledge(construct: IConstruct, reasons: dict[str, str]) -> None:
    """Accept findings on a construct and what lies below it.

    Args:
        construct: As close to the finding as possible.
        reasons: Why, by rule; a rule such as `AwsSolutions-IAM5[Resource::*]` names one finding.
    """
    Validations.of(construct).acknowledge(
        *(Acknowledgment(id=rule, reason=reason) for rule, reason in reasons.items())
    )
