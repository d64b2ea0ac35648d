"""Asks the user service as a client that knows nothing but its address: `client.py HOST:PORT`. Prints, as JSON, what it has
seen, and each call that it has made by method and code."""

import json
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import MessageToDict
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)


class Tally(
    grpc.UnaryUnaryClientInterceptor,
    grpc.UnaryStreamClientInterceptor,
    grpc.StreamStreamClientInterceptor,
):
    """Counts every call that leaves, whoever makes it."""

    def __init__(self):
        self.calls = Counter()
        self.lock = Lock()

    def count(self, details, call):
        with self.lock:
            self.calls[details.method, call.code().name] += 1

    def intercept_unary_unary(self, go_on, details, request):
        call = go_on(details, request)
        self.count(details, call)
        return call

    def intercept_unary_stream(self, go_on, details, request):
        call = go_on(details, request)
        # Its reader ends it.
        call.counted = lambda: self.count(details, call)
        return call

    def intercept_stream_stream(self, go_on, details, requests):
        call = go_on(details, requests)
        answers = list(call)
        self.count(details, call)
        return iter(answers)


class Service:
    def __init__(self, channel, pool):
        self.channel, self.pool = channel, pool

    def _call(self, name, fields, token, way):
        service, method = name.split("/")
        method = self.pool.FindServiceByName(service).FindMethodByName(method)
        asked = GetMessageClass(method.input_type)(**fields)
        call = way(
            f"/{name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=GetMessageClass(method.output_type).FromString,
        )
        return call(asked, metadata=[("authorization", f"Bearer {token}")] if token else [])

    def ask(self, method, token=None, /, **fields):
        answer = self._call(f"users.v1.{method}", fields, token, self.channel.unary_unary)
        return MessageToDict(answer, preserving_proto_field_name=True)

    def watch(self, method, token):
        return self._call(f"users.v1.{method}", {}, token, self.channel.unary_stream)

    def refused(self, method, token=None, /, **fields):
        try:
            self.ask(method, token, **fields)
        except grpc.RpcError as error:
            return [error.code().name, error.details()]
        return ["OK", ""]


def person(name):
    return {
        "username": name,
        "email": f"{name}@example.test",
        "password": "Secret123",
        "name": f"Name of {name}",
    }


def play(target):
    tally = Tally()
    with grpc.insecure_channel(target) as channel:
        channel = grpc.intercept_channel(channel, tally)
        described = ProtoReflectionDescriptorDatabase(channel)
        services = sorted(described.get_services())
        service = Service(channel, DescriptorPool(described))

        login = service.ask("AuthService/Login", username="admin", password="Admin123!")
        admin = login["access_token"]
        watch = service.watch("UserService/WatchUsers", admin)
        watch.initial_metadata()

        user = service.ask("UserService/CreateUser", **person("wasp"))
        token = service.ask("AuthService/Login", email="wasp@example.test", password="Secret123")
        token = token["access_token"]
        me = service.ask("AuthService/Me", token)
        whose = {"user_id": user["id"]}
        service.ask("ProfileService/CreateProfile", token, bio="Builds nests", **whose)
        refused = [
            service.refused("ProfileService/GetProfile", **whose),
            service.refused("UserService/GetUser", token, id="nobody"),
            service.refused("UserService/CreateUser", **person("wasp")),
            service.refused("UserService/CreateUser", username="wasp"),
            service.refused("UserService/DeleteUser", token, id=user["id"]),
        ]
        with ThreadPoolExecutor(8) as threads:
            read = lambda _: service.ask("ProfileService/GetProfile", token, **whose)["bio"]
            profiles = sorted(set(threads.map(read, range(200))))

        service.ask("UserService/DeleteUser", admin, id=user["id"])
        events = [next(watch) for _ in range(2)]
        watch.cancel()
        watch.counted()

    return {
        "services": services,
        "me": me == user,
        "profiles": profiles,
        "refused": refused,
        "events": [[event.number, event.type, event.username] for event in events],
        "calls": sorted([method, code, count] for (method, code), count in tally.calls.items()),
    }


print(json.dumps(play(sys.argv[1])))
