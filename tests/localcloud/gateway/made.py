"""What there is on a local cloud that somebody may have made."""

from typing import Any

from localcloud import Cloud

# Of each service: what lists them, the member with the list, and the member that names each.
_LISTS = (
    ("cloudformation", "describe_stacks", "Stacks", "StackName"),
    ("lambda", "list_functions", "Functions", "FunctionName"),
    ("s3", "list_buckets", "Buckets", "Name"),
    ("sqs", "list_queues", "QueueUrls", None),
    ("stepfunctions", "list_state_machines", "stateMachines", "name"),
)


def made(cloud: Cloud) -> set[tuple[str, str]]:
    """The service and name of everything that was made on a cloud."""
    found = set()
    for service, operation, member, name in _LISTS:
        client: Any = cloud.client(service)
        every = getattr(client, operation)().get(member, [])
        found |= {(service, str(each[name] if name else each)) for each in every}
    return found
