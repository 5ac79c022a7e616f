"""Tags of every kind of resource."""

from typing import Any

from localcloud.sagemaker.resources import Request, Resource, operation


class Tags(Resource):
    """AddTags, ListTags, DeleteTags."""

    @operation
    def add_tags(self, request: Request) -> dict[str, Any]:
        """Adds or changes tags; answers all there are now."""
        return {"Tags": _items(self.store.tag(request["ResourceArn"], request["Tags"]))}

    @operation
    def list_tags(self, request: Request) -> dict[str, Any]:
        """Lists tags; at most 50 exist, which always fits one page."""
        with self.store.lock:
            return {"Tags": _items(self.store.tagged(request["ResourceArn"]).tags)}

    @operation
    def delete_tags(self, request: Request) -> dict[str, Any]:
        """Removes tags."""
        self.store.untag(request["ResourceArn"], request["TagKeys"])
        return {}


def _items(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
