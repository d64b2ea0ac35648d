"""Takes uploads with Starlette and its multipart parser, over whatever Hypercorn speaks, on the port that it is given. The answer, and
a line of the file `UPLOADS`, say what has come: fields, and of each file its length and SHA-256."""

import asyncio
import hashlib
import json
import os
import sys

from hypercorn.asyncio import serve
from hypercorn.config import Config

from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Route

LOG = os.environ["UPLOADS"]


def told(request, seen):
    seen |= {"http": request.scope["http_version"], "length": request.headers.get("content-length")}
    with open(LOG, "a") as log:
        log.write(json.dumps(seen) + "\n")
    return JSONResponse(seen)


async def form(request):
    fields, files = {}, {}
    async with request.form() as form:
        for name, value in form.multi_items():
            if isinstance(value, str):
                fields[name] = value
                continue
            digest = hashlib.sha256()
            while chunk := await value.read(1 << 16):
                digest.update(chunk)
            files[name] = [value.filename, value.content_type, value.size, digest.hexdigest()]
    return told(request, {"fields": fields, "files": files})


async def whole(request):
    digest, size = hashlib.sha256(), 0
    async for chunk in request.stream():
        digest.update(chunk)
        size += len(chunk)
    return told(request, {"size": size, "sha256": digest.hexdigest()})


async def moved(request):
    async for _ in request.stream():
        pass
    return RedirectResponse("/whole", 307)


app = Starlette(
    routes=[
        Route("/form", form, methods=["POST"]),
        Route("/whole", whole, methods=["PUT"]),
        Route("/moved", moved, methods=["PUT"]),
    ]
)

# In this process: one that Hypercorn starts itself outlives a test that ends its parent.
config = Config()
config.bind = [f"127.0.0.1:{sys.argv[1]}"]
asyncio.run(serve(app, config))
