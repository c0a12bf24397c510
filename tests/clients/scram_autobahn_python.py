"""Logs in with autobahn-python by SCRAM and then a code, and prints one line of JSON for each login.

The first argument is JSON: {"url": ..., "logins": [{"authid", "secret", "code"}, ...]}.
"""

import asyncio
import json
import sys

from autobahn.asyncio.wamp import ApplicationRunner, ApplicationSession
from autobahn.wamp import auth


class ScramAndCode(ApplicationSession):
    def onConnect(self):
        login = self.config.extra["login"]
        self.scram = auth.create_authenticator("scram", authid=login["authid"], password=login["secret"])
        self.join(self.config.realm, ["scram", "totp"], login["authid"], authextra=self.scram.authextra)

    def onChallenge(self, challenge):
        self.config.extra["outcome"]["asked"].append(challenge.method)
        if challenge.method == "totp":
            return self.config.extra["login"]["code"]
        return self.scram.on_challenge(self, challenge)

    def onWelcome(self, welcome):
        problem = self.scram.on_welcome(self, welcome.authextra)
        self.config.extra["outcome"]["router_is_genuine"] = problem is None
        return problem

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
    extra = {"login": login, "outcome": {"asked": []}, "done": asyncio.Event()}
    await ApplicationRunner(url, "realm1", extra=extra).run(ScramAndCode, start_loop=False)
    await extra["done"].wait()
    return extra["outcome"]


async def main():
    order = json.loads(sys.argv[1])
    for login in order["logins"]:
        print(json.dumps(await log_in(order["url"], login)), flush=True)


asyncio.run(main())
