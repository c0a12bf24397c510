"""Logs in with autobahn-python by two factors, and prints one line of JSON for each login.

The first argument is JSON: {"url": ..., "logins": [{"form", "serializer", "authid", "secret",
"code"}, ...]}. The form "rounds" answers two CHALLENGEs; "hello" sends the code in HELLO.
"""

import asyncio
import json
import sys

from autobahn.asyncio.wamp import ApplicationRunner, ApplicationSession
from autobahn.wamp import auth


class TwoFactors(ApplicationSession):
    def onConnect(self):
        login = self.config.extra["login"]
        extra = {"totp": login["code"]} if login["form"] == "hello" else None
        self.join(self.config.realm, ["wampcra", "totp"], login["authid"], authextra=extra)

    def onChallenge(self, challenge):
        login, extra = self.config.extra["login"], challenge.extra
        self.config.extra["asked"].append(challenge.method)
        if challenge.method == "totp":
            return login["code"]
        key = login["secret"].encode()
        if "salt" in extra:
            key = auth.derive_key(key, extra["salt"], extra["iterations"], extra["keylen"])
        return auth.compute_wcs(key, extra["challenge"]).decode()

    def onJoin(self, details):
        self.config.extra["outcome"].update(
            authid=details.authid, authrole=details.authrole, authmethod=details.authmethod
        )
        self.leave()

    def onLeave(self, details):
        self.config.extra["outcome"]["left"] = details.reason
        self.disconnect()

    def onDisconnect(self):
        self.config.extra["done"].set()


async def log_in(url, login):
    extra = {"login": login, "asked": [], "outcome": {}, "done": asyncio.Event()}
    serializers = [serializer(login["serializer"])]
    runner = ApplicationRunner(url, "realm1", extra=extra, serializers=serializers)
    await runner.run(TwoFactors, start_loop=False)
    await extra["done"].wait()
    return {"asked": extra["asked"], **extra["outcome"]}


def serializer(name):
    from autobahn.wamp import serializer

    kinds = {"json": "JsonSerializer", "msgpack": "MsgPackSerializer", "cbor": "CBORSerializer"}
    return getattr(serializer, kinds[name])()


async def main():
    order = json.loads(sys.argv[1])
    for login in order["logins"]:
        print(json.dumps(await log_in(order["url"], login)), flush=True)


asyncio.run(main())
