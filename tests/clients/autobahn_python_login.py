"""What the programs share that log in with autobahn-python by methods which need code of their own.

The first argument is JSON: {"url": ..., "logins": [...]}. Prints one line of JSON for each login.
"""

import asyncio
import json
import sys

from autobahn.asyncio.wamp import ApplicationRunner, ApplicationSession
from autobahn.wamp import serializer

SERIALIZERS = {
    "json": serializer.JsonSerializer,
    "msgpack": serializer.MsgPackSerializer,
    "cbor": serializer.CBORSerializer,
}


class Login(ApplicationSession):
    """One login. A subclass says what it joins with (`onConnect`) and what it answers (`answer`)."""

    @property
    def login(self):
        return self.config.extra["login"]

    @property
    def outcome(self):
        return self.config.extra["outcome"]

    def onChallenge(self, challenge):
        self.outcome["asked"].append(challenge.method)
        return self.answer(challenge)

    def onJoin(self, details):
        self.outcome.update(
            authid=details.authid,
            authrole=details.authrole,
            authmethod=details.authmethod,
            authprovider=details.authprovider,
        )
        self.leave()

    def onLeave(self, details):
        self.outcome["left"] = details.reason
        self.disconnect()

    def onDisconnect(self):
        self.config.extra["done"].set()


async def log_in(kind, url, login):
    extra = {"login": login, "outcome": {"asked": []}, "done": asyncio.Event()}
    serializers = [SERIALIZERS[login.get("serializer", "json")]()]
    runner = ApplicationRunner(url, "realm1", extra=extra, serializers=serializers)
    await runner.run(kind, start_loop=False)
    await extra["done"].wait()
    return extra["outcome"]


async def main(kind):
    order = json.loads(sys.argv[1])
    for login in order["logins"]:
        print(json.dumps(await log_in(kind, order["url"], login)), flush=True)


def run(kind):
    asyncio.run(main(kind))
