"""Logs in with autobahn-python by a method of one's own, and prints one line of JSON for each login.

The first argument is JSON: {"url": ..., "logins": [{"method", "authid", "answer", "authextra"}, ...]}.
An answer is a text, or {"work": true}: then the client looks for a text that makes the hash of the
challenge small enough.
"""

import asyncio
import hashlib
import itertools
import json
import sys

from autobahn.asyncio.wamp import ApplicationRunner, ApplicationSession


def work(extra):
    """The first number that, after the challenge, hashes to so many zero bits."""
    for number in itertools.count():
        digest = hashlib.sha256(f"{extra['challenge']}:{number}".encode()).digest()
        if int.from_bytes(digest, "big") >> (256 - extra["difficulty"]) == 0:
            return str(number)


class Own(ApplicationSession):
    def onConnect(self):
        login = self.config.extra["login"]
        self.join(
            self.config.realm,
            [login["method"]],
            login["authid"],
            authextra=login.get("authextra"),
        )

    def onChallenge(self, challenge):
        self.config.extra["outcome"]["asked"] = challenge.extra
        answer = self.config.extra["login"]["answer"]
        return answer if isinstance(answer, str) else work(challenge.extra)

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
    extra = {"login": login, "outcome": {}, "done": asyncio.Event()}
    runner = ApplicationRunner(url, "realm1", extra=extra)
    await runner.run(Own, start_loop=False)
    await extra["done"].wait()
    return extra["outcome"]


async def main():
    order = json.loads(sys.argv[1])
    for login in order["logins"]:
        print(json.dumps(await log_in(order["url"], login)), flush=True)


asyncio.run(main())
