"""What every stack of Spine has in common."""

from typing import Any

from aws_cdk import Aws, CfnMapping, Environment, Stack, Tags
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from stacks import images
from stacks.permissions import Permission, allow
from stacks.settings import Settings

# Stands for the account of an image that a region does not have.
NO_REGISTRY = "none"


class SpineStack(Stack):
    """A stack named `spine-<stage>-<room>`, bound to a place only if the settings name one."""

    def __init__(
        self, scope: Construct, room: str, *, settings: Settings, description: str
    ) -> None:
        super().__init__(
            scope,
            f"{settings.prefix}-{room}",
            description=description,
            env=Environment(account=settings.account, region=settings.region),
        )
        self.settings = settings
        self._registries: CfnMapping | None = None
        Tags.of(self).add("spine:stage", settings.stage)
        if settings.permissions_boundary:
            boundary = iam.ManagedPolicy.from_managed_policy_arn(
                self, "Boundary", settings.permissions_boundary
            )
            iam.PermissionsBoundary.of(self).apply(boundary)
        self.key = (
            kms.Key.from_key_arn(self, "Key", settings.encryption_key)
            if settings.encryption_key
            else None
        )

    def with_key(self, *actions: str, via: str) -> list[Permission]:
        """Use of the customer-managed key through one service; nothing where there is no key.

        Args:
            actions: Of KMS.
            via: The service that calls KMS on the caller's behalf, such as `s3`.
        """
        if self.key is None:
            return []
        service = f"{via}.{self.region}.{Aws.URL_SUFFIX}"
        return [
            allow(
                *actions, on=[self.key.key_arn], when={"StringEquals": {"kms:ViaService": service}}
            )
        ]

    def volumes(self) -> list[Permission]:
        """What it takes to have SageMaker encrypt volumes with the customer-managed key."""
        if self.key is None:
            return []
        return [
            allow(
                "kms:CreateGrant",
                on=[self.key.key_arn],
                when={"Bool": {"kms:GrantIsForAWSResource": "true"}},
            ),
            *self.with_key("kms:DescribeKey", via="sagemaker"),
        ]

    def arns(self, service: str, *resources: str) -> list[str]:
        """ARNs in this stack's own account and region, of `type/name` or `type:name` resources."""
        return [
            f"arn:{Aws.PARTITION}:{service}:{self.region}:{self.account}:{resource}"
            for resource in resources
        ]

    def image(self, name: str, *, registry: str) -> str:
        """The URI of one of SageMaker's images in this stack's region.

        Args:
            name: From the repository on.
            registry: Which of the registries in `images.json` has it. A region that is not in it
                gets an account that does not exist.
        """
        account = self.registry(registry)
        return f"{account}.dkr.ecr.{self.region}.{Aws.URL_SUFFIX}/{name}"

    def image_of(self, algorithm: Any) -> str:
        """The URI of the image that trains and serves with an algorithm."""
        return self.image(
            images.trained_by(algorithm, self.settings.version(algorithm)),
            registry=images.load()["registry"][algorithm.name],
        )

    def registry(self, name: str) -> str:
        """The account of one of the registries in `images.json` in this stack's region."""
        registries = images.load()["registries"]
        if self.settings.region:
            return registries[name].get(self.settings.region, NO_REGISTRY)
        if self._registries is None:
            self._registries = CfnMapping(
                self,
                "ImageRegistry",
                mapping={
                    region: {
                        each: accounts.get(region, NO_REGISTRY)
                        for each, accounts in registries.items()
                    }
                    for region in registries["account"]
                },
            )
        return self._registries.find_in_map(Aws.REGION, name)
