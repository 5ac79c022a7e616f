"""Algorithms by their image: each module of this package describes one image repository.

A module defines `ALGORITHM`. Its container is a package run as `python -m PACKAGE train` and
`python -m PACKAGE serve --socket PATH`, with the container contract's folders below
`SAGEMAKER_BASE_DIR` instead of `/opt/ml`.
"""

import importlib
import pkgutil
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata

from localcloud.sagemaker.errors import ApiError, not_available

_IMAGE = re.compile(
    r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/(?P<repository>[^:@]+)"
    r"(?::(?P<tag>[\w.-]+))?"
)


@dataclass(frozen=True, kw_only=True)
class Algorithm:
    """An image repository and the container that stands in for it.

    Attributes:
        repository: Name of the ECR repository.
        container: Package that runs as the container.
        versions: Version of the library in each image, by image tag.
        library: What the library is called.
        distributions: Names under which the library may be installed here.
        metrics: Given a log, the last value of each metric the algorithm defines.
        series: Given lines of a log, every value of each metric.
        definitions: The algorithm's `MetricDefinitions`, as DescribeTrainingJob shows them.
        unsupported_environment: Variables of a model or job that the real container reads and
            this one does not.
        objectives: Metrics that a tuning job may improve, and whether to Maximize or Minimize
            them.
    """

    repository: str
    container: str
    versions: Mapping[str, str]
    library: str
    distributions: tuple[str, ...]
    metrics: Callable[[str], dict[str, float]]
    series: Callable[[Sequence[str]], dict[str, list[float]]]
    definitions: Sequence[Mapping[str, str]]
    unsupported_environment: frozenset[str]
    objectives: Mapping[str, str]

    def installed(self) -> str:
        """The version of the library that runs here.

        Raises:
            ApiError: It is not installed.
        """
        for name in self.distributions:
            try:
                return metadata.version(name)
            except metadata.PackageNotFoundError:
                continue
        raise not_available(
            f"The image repository {self.repository}",
            f"Install {self.distributions[0]} in this process's environment.",
        )


@dataclass(frozen=True)
class Image:
    """An image that a container here stands in for."""

    uri: str
    tag: str
    algorithm: Algorithm

    @property
    def version(self) -> str:
        """The library's version in the image."""
        return self.algorithm.versions[self.tag]

    @property
    def note(self) -> str:
        """Which library really runs, for logs and descriptions."""
        installed = self.algorithm.installed()
        name = self.algorithm.library
        if installed == self.version:
            return f"{name} {installed} runs, as in the image."
        return f"The image holds {name} {self.version}; {name} {installed} runs here."

    def check_environment(self, environment: Mapping[str, str]) -> None:
        """Refuses variables that would change what the container does, and cannot here.

        Raises:
            ApiError: One of them is set.
        """
        for name in sorted(self.algorithm.unsupported_environment & environment.keys()):
            raise not_available(f"The environment variable {name} of {self.algorithm.repository}")


@cache
def _algorithms() -> dict[str, Algorithm]:
    modules = (
        importlib.import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules(__path__)
    )
    return {module.ALGORITHM.repository: module.ALGORITHM for module in modules}


def find(uri: str) -> Image:
    """The image behind a URI.

    Raises:
        ApiError: No such repository or tag is offered here; the message lists what is.
    """
    match = _IMAGE.fullmatch(uri)
    algorithm = _algorithms().get(match["repository"]) if match else None
    if match is None or algorithm is None:
        offered = ", ".join(sorted(_algorithms()))
        raise _unknown(uri, f"Images of these ECR repositories are: {offered}.")
    tag = match["tag"] or "latest"
    if tag not in algorithm.versions:
        raise _unknown(uri, f"Tags of {algorithm.repository} are: {', '.join(algorithm.versions)}.")
    algorithm.installed()
    return Image(uri, tag, algorithm)


def _unknown(uri: str, remedy: str) -> ApiError:
    return not_available(f'The image "{uri}"', remedy)
