"""Does with autobahn-python what a test asks for, and prints one line of JSON for each job.

The first argument is JSON: {"url": ..., "jobs": [{"scenario", "method", "serializer", "authid",
"secret"}, ...]}. The scenarios are the functions `tour`, `host` and `visit`.
"""

import asyncio
import json
import sys

from autobahn.asyncio.component import Component
from autobahn.wamp.types import PublishOptions

REALM = "realm1"


def authentication(job):
    proof = {"ticket": "ticket", "wampcra": "secret", "cryptosign": "privkey", "scram": "password"}
    method = job["method"]
    if method == "anonymous":
        return {method: {}}
    return {method: {"authid": job["authid"], proof[method]: job["secret"]}}


async def tour(session):
    """Subscribes, publishes, registers and calls, all by itself."""
    heard = asyncio.get_running_loop().create_future()
    await session.subscribe(lambda *args, **kwargs: heard.set_result([args, kwargs]), "com.example.tour")
    options = PublishOptions(acknowledge=True, exclude_me=False)
    await session.publish("com.example.tour", "hello", 2, size={"deep": [True]}, options=options)
    registration = await session.register(lambda a, b: a + b, "com.example.tour.add")
    total = await session.call("com.example.tour.add", 2, 3)
    await registration.unregister()
    return {"event": await heard, "result": total}


async def host(session):
    """Is there for others, until the session ends."""
    heard = asyncio.get_running_loop().create_future()
    await session.subscribe(lambda *args, **kwargs: heard.set_result([args, kwargs]), "com.example.news")
    await session.register(lambda a, b: a + b, "com.example.add")
    report({"ready": True})
    return {"event": await heard}


async def visit(session):
    """Uses what a host offers."""
    total = await session.call("com.example.add", 20, 3)
    options = PublishOptions(acknowledge=True)
    await session.publish("com.example.news", "hello", 2, size={"deep": [True]}, options=options)
    return {"result": total}


async def idle(session):
    """Waits for the end of the session."""
    report({"ready": True})
    await asyncio.get_running_loop().create_future()


def transport(url, serializer):
    if url.startswith("rs://"):
        return {"type": "rawsocket", "url": url, "serializer": serializer, "max_retries": 0}
    return {"type": "websocket", "url": url, "serializers": [serializer], "max_retries": 0}


async def do(url, job):
    component = Component(
        transports=[transport(url, job["serializer"])],
        realm=REALM,
        authentication=authentication(job),
    )
    outcome = {}

    @component.on_join
    async def joined(session, details):
        outcome["welcome"] = {
            "authid": details.authid,
            "authrole": details.authrole,
            "authmethod": details.authmethod,
            "session": details.session,
        }
        outcome["serializer"] = details.transport.websocket_protocol
        outcome.update(await globals()[job["scenario"]](session))
        session.leave()

    @component.on_leave
    async def left(session, details):
        outcome["left"] = details.reason

    try:
        await component.start(loop=asyncio.get_running_loop())
    except Exception as error:
        outcome.setdefault("error", str(error))
    return outcome


def report(line):
    print(json.dumps(line), flush=True)


async def main():
    order = json.loads(sys.argv[1])
    for job in order["jobs"]:
        report(await do(order["url"], job))


asyncio.run(main())
