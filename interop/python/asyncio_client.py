"""python-engineio's AsyncClient, run by python.test.js: asyncio_client.py URL OPTIONS"""

import asyncio
import json
import sys

import engineio

import protocol


async def lines():
    reader = asyncio.StreamReader(limit=2**24)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield line


async def main():
    url, options = sys.argv[1], json.loads(sys.argv[2])
    protocol.configure(options)
    client = engineio.AsyncClient()
    try:
        await run(client, url, options)
    finally:
        if client.http:
            await client.http.close()


async def run(client, url, options):
    client.on("message", protocol.tell_message)
    client.on("disconnect", lambda: protocol.tell("disconnected"))
    try:
        await client.connect(url, transports=options["transports"])
    except engineio.exceptions.ConnectionError as e:
        protocol.tell("refused", [str(arg) if isinstance(arg, str) else arg for arg in e.args])
        return
    protocol.tell("connected", {"sid": client.sid, "transport": client.transport()})
    async for line in lines():
        what, data = protocol.command(line)
        if what == "disconnect":
            await settle(client)
            await client.disconnect()
            break
        await client.send(data)


async def settle(client):
    """disconnect() says nothing to the server while the last POST is under way, and then waits for a ping."""
    while client.state == "connected" and not client.queue._getters:
        await asyncio.sleep(0.001)


asyncio.run(main())
