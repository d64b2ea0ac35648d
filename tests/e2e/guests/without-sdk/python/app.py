"""Someone who asks for `/health` and is done: the contract by componentize-py alone, without any SDK."""

from wit_world import exports
from wit_world.imports.types import Description, Method, Route


class Behavior(exports.Behavior):
    def describe(self) -> Description:
        return Description("without-sdk", "0.1.0", [Route(Method.GET, "/health", "monitoring")], ["monitoring"])
