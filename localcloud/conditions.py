"""What a local cloud is started with that makes it less kind, or larger, than it is by default."""

import dataclasses
import json


@dataclasses.dataclass(frozen=True, kw_only=True)
class Conditions:
    """The conditions of a local cloud, from its start to its end.

    Attributes:
        enforce_iam: Whether the deployed policies decide what roles may do.
        concurrent_functions: Calls of functions that run at once, the others wait; by cores and
            memory when None.
        concurrent_jobs: SageMaker jobs that run at once, the others wait; one a core when None.
        quotas: SageMaker quotas, each `TYPE/USE=COUNT`.
        throttle: Requests a second that each SageMaker operation answers.
        consistency_lag: Seconds after which a new model or endpoint configuration is found.
        delays: What takes longer at SageMaker, each `NAME=SECONDS`.
        retry_delay: Seconds from the failure of a function that an event called to its first retry;
            1 when None, and a minute on AWS. What follows is in proportion.
        allowed_origins: Origins whose pages may call the cloud, if they have its key.
    """

    enforce_iam: bool = False
    concurrent_functions: int | None = None
    concurrent_jobs: int | None = None
    quotas: tuple[str, ...] = ()
    throttle: float | None = None
    consistency_lag: float | None = None
    delays: tuple[str, ...] = ()
    retry_delay: float | None = None
    allowed_origins: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str) -> "Conditions":
        """Conditions as `text` wrote them."""
        members = json.loads(text)
        lists = ("quotas", "delays", "allowed_origins")
        return cls(**members | {each: tuple(members[each]) for each in lists})

    def text(self) -> str:
        """The conditions as JSON."""
        return json.dumps(dataclasses.asdict(self))

    def sagemaker(self) -> list[str]:
        """The SageMaker process's arguments."""
        return [
            *(f"--quota={quota}" for quota in self.quotas),
            *(f"--delay={delay}" for delay in self.delays),
            *([f"--throttle={self.throttle:g}"] if self.throttle else []),
            *([f"--consistency-lag={self.consistency_lag:g}"] if self.consistency_lag else []),
            *([f"--concurrent-jobs={self.concurrent_jobs}"] if self.concurrent_jobs else []),
        ]

    def shown(self) -> tuple[str, ...]:
        """Every condition that differs from the default, as `spine up` takes it."""
        functions = self.concurrent_functions
        return (
            *(["--enforce-iam"] if self.enforce_iam else []),
            *([f"--concurrent-functions={functions}"] if functions else []),
            *self.sagemaker(),
            *([f"--retry-delay={self.retry_delay:g}"] if self.retry_delay else []),
            *(f"--allow-origin={origin}" for origin in self.allowed_origins),
        )
