"""A WebSocket server of the package `websockets` that says back what it is told, and keeps count of it in a file."""

import asyncio
import json
import os
import sys

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

COUNTS = {"connections": 0, "received": 0, "sent": 0, "bytes": 0, "codes": {}}


async def echo(socket):
    COUNTS["connections"] += 1
    try:
        async for message in socket:
            COUNTS["received"] += 1
            COUNTS["bytes"] += len(message)
            await socket.send(message)
            COUNTS["sent"] += 1
    except ConnectionClosed:
        pass
    code = str(socket.close_code)
    COUNTS["codes"][code] = COUNTS["codes"].get(code, 0) + 1
    with open(sys.argv[2] + ".new", "w") as file:
        json.dump(COUNTS, file)
    os.replace(sys.argv[2] + ".new", sys.argv[2])


async def main():
    async with serve(echo, "127.0.0.1", int(sys.argv[1]), compression="deflate"):
        await asyncio.get_running_loop().create_future()


asyncio.run(main())
