"""Logs in with autobahn-python by a token, and prints one line of JSON for each login.

The first argument is JSON: {"url": ..., "logins": [{"form", "serializer", "token"}, ...]}. The form
"rounds" answers a CHALLENGE; "hello" sends the token in HELLO.
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


class WithToken(ApplicationSession):
    def onConnect(self):
        login = self.config.extra["login"]
        extra = {"token": login["token"]} if login["form"] == "hello" else None
        self.join(self.config.realm, ["jwt"], authextra=extra)

    def onChallenge(self, challenge):
        self.config.extra["asked"].append(challenge.method)
        return self.config.extra["login"]["token"]

    def onJoin(self, details):
        self.config.extra["outcome"].update(
            authid=details.authid,
            authrole=details.authrole,
            authmethod=details.authmethod,
            authprovider=details.authprovider,
        )
        self.leave()

    def onLeave(self, details):
        self.config.extra["outcome"]["left"] = details.reason
        self.disconnect()

    def onDisconnect(self):
        self.config.extra["done"].set()


async def log_in(url, login):
    extra = {"login": login, "asked": [], "outcome": {}, "done": asyncio.Event()}
    runner = ApplicationRunner(url, "realm1", extra=extra, serializers=[SERIALIZERS[login["serializer"]]()])
    await runner.run(WithToken, start_loop=False)
    await extra["done"].wait()
    return {"asked": extra["asked"], **extra["outcome"]}


async def main():
    order = json.loads(sys.argv[1])
    for login in order["logins"]:
        print(json.dumps(await log_in(order["url"], login)), flush=True)


asyncio.run(main())
