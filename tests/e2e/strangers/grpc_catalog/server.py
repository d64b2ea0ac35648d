"""A gRPC server of the package `grpcio` that keeps count of its calls in a file, by method and code. Its messages are read and
written by hand: 1 is a text, 2 a number."""

import json
import os
import sys
import threading
from concurrent import futures

import grpc

COUNTS = {"codes": {}, "bytes": 0, "longest": 0, "metadata": {}}
LOCK = threading.Lock()


def varint(bytes, at):
    value = shift = 0
    while True:
        byte = bytes[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def read(bytes):
    name, size, at = "", 0, 0
    while at < len(bytes):
        tag, at = varint(bytes, at)
        value, at = varint(bytes, at)
        if tag == 1 << 3 | 2:
            name, at = bytes[at : at + value].decode(), at + value
        elif tag == 2 << 3:
            size = value
        else:
            raise ValueError(tag)
    return len(bytes), name, size


def written(value):
    bytes = b""
    while value > 127:
        bytes += bytes_of(value & 127 | 128)
        value >>= 7
    return bytes + bytes_of(value)


def bytes_of(byte):
    return byte.to_bytes(1, "big")


def write(message):
    name, price = message
    name = name.encode()
    return b"\x0a" + written(len(name)) + name + b"\x10" + written(price)


def count(method, code, context, size):
    with LOCK:
        key = f"{method} {code.name}"
        COUNTS["codes"][key] = COUNTS["codes"].get(key, 0) + 1
        COUNTS["bytes"] += size
        COUNTS["longest"] = max(COUNTS["longest"], context.time_remaining() or 0)
        COUNTS["metadata"].update(context.invocation_metadata())
        with open(sys.argv[2] + ".new", "w") as file:
            json.dump(COUNTS, file)
        os.replace(sys.argv[2] + ".new", sys.argv[2])


def find(request, context):
    size, name, number = request
    if name == "nothing":
        count("Find", grpc.StatusCode.NOT_FOUND, context, size)
        context.abort(grpc.StatusCode.NOT_FOUND, "no \u00e9clair, 100%")
    count("Find", grpc.StatusCode.OK, context, size)
    metadata = dict(context.invocation_metadata())
    context.set_trailing_metadata((("x-trace", metadata["x-trace"]),))
    return name, number + 1


def remove(request, context):
    count("Remove", grpc.StatusCode.PERMISSION_DENIED, context, request[0])
    context.abort(grpc.StatusCode.PERMISSION_DENIED, "")


def wait(request, context):
    over = threading.Event()
    context.add_callback(over.set)
    count("Wait", grpc.StatusCode.DEADLINE_EXCEEDED, context, request[0])
    over.wait(request[2] / 1000)
    return "", 0


def large(request, context):
    count("Large", grpc.StatusCode.OK, context, request[0])
    return "x" * request[2], 0


class Catalog(grpc.GenericRpcHandler):
    METHODS = {"Find": find, "Remove": remove, "Wait": wait, "Large": large}

    def service(self, details):
        _, service, method = details.method.split("/")
        if service == "shop.v1.Catalog" and method in self.METHODS:
            return grpc.unary_unary_rpc_method_handler(self.METHODS[method], read, write)
        return None


server = grpc.server(futures.ThreadPoolExecutor(16), handlers=[Catalog()])
if server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}") == 0:
    sys.exit(1)
server.start()
server.wait_for_termination()
