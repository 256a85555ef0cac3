"""The python3-websockets end of the interop matrix.

Commands come as JSON lines on standard input; answers, with the command's id, go as JSON lines to standard output.
"""

import asyncio
import hashlib
import json
import struct
import sys

import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, ServerPerMessageDeflateFactory

HEAD = struct.Struct(">BI")


def say(command, **answer):
    print(json.dumps({"id": command["id"], **answer}), flush=True)


def pack(message):
    data = message.encode() if isinstance(message, str) else message
    return HEAD.pack(1 if isinstance(message, str) else 2, len(data)) + data


def unpack(data):
    at = 0
    while at < len(data):
        kind, length = HEAD.unpack_from(data, at)
        at += HEAD.size
        payload = data[at : at + length]
        at += length
        yield payload.decode() if kind == 1 else payload


def describe(message):
    return f"{'text' if isinstance(message, str) else 'binary'} of {len(pack(message)) - HEAD.size} bytes"


async def serve(command):
    received = asyncio.get_running_loop().create_future()

    async def echo(connection, path=None):
        digest, count, error = hashlib.sha256(), 0, {}
        try:
            async for message in connection:
                digest.update(pack(message))
                count += 1
                await connection.send(message)
        except Exception as problem:
            error = {"error": f"{type(problem).__name__}: {problem}"}
        if not received.done():
            received.set_result({"count": count, "digest": digest.hexdigest(), **error})

    extensions = [ServerPerMessageDeflateFactory(**command["options"])]
    async with websockets.serve(echo, "127.0.0.1", 0, extensions=extensions, compression=None, max_size=None) as server:
        say(command, port=list(server.sockets)[0].getsockname()[1])
        say(command, result=await received)


async def converse(command):
    with open(command["file"], "rb") as file:
        messages = list(unpack(file.read()))
    answered, more = 0, {}
    window = asyncio.Semaphore(command["inFlight"])
    extensions = [ClientPerMessageDeflateFactory(**command["options"])]
    try:
        async with websockets.connect(
            command["url"], extensions=extensions, compression=None, max_size=None
        ) as connection:

            async def send():
                for message in messages:
                    await window.acquire()
                    await connection.send(message)

            sending = asyncio.create_task(send())
            try:
                for message in messages:
                    echo = await connection.recv()
                    if echo != message:
                        what = f"{describe(message)} came back as {describe(echo)}"
                        more["difference"] = f"message {answered}: {what}"
                        break
                    answered += 1
                    window.release()
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
    except Exception as problem:
        more["error"] = f"{type(problem).__name__}: {problem}"
    say(command, result={"answered": answered, **more})


async def main():
    loop = asyncio.get_running_loop()
    commands = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    tasks = {}
    while line := await commands.readline():
        command = json.loads(line)
        if command["do"] == "cancel":
            tasks[command["id"]].cancel()
        else:
            tasks[command["id"]] = asyncio.create_task({"serve": serve, "converse": converse}[command["do"]](command))


asyncio.run(main())
