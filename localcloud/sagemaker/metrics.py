"""CloudWatch: the metrics that a training job logs, put where clients look for them.

A point is what CloudWatch makes of the values of one look at the log: their average, which is what
the SDK's `TrainingJobAnalytics` asks for, a period at a time.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from localcloud.sagemaker.connection import Connection

# Source: sagemaker.analytics.TrainingJobAnalytics of SDK 2, which reads them.
NAMESPACE, DIMENSION = "/aws/sagemaker/TrainingJobs", "TrainingJobName"


class Metrics:
    """Sends what training jobs have measured; without an endpoint in the settings, nothing."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, job: str, found: Mapping[str, Sequence[float]]) -> None:
        """Sends values that a job has just logged.

        Args:
            job: The job's name.
            found: Values by the metric's name, `train:auc`.
        """
        client = self._connection.client("cloudwatch")
        if client is None or not found:
            return
        now = time.time()
        data: list[dict[str, Any]] = [
            {
                "MetricName": name,
                "Dimensions": [{"Name": DIMENSION, "Value": job}],
                "Timestamp": now,
                "StatisticValues": {
                    "SampleCount": len(values),
                    "Sum": sum(values),
                    "Minimum": min(values),
                    "Maximum": max(values),
                },
            }
            for name, values in found.items()
        ]
        client.put_metric_data(Namespace=NAMESPACE, MetricData=data)
