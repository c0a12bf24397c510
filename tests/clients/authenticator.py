"""A dynamic authenticator as people have written them for Crossbar, with autobahn-python.

The first argument is JSON: {"url": ..., "realm": ...}. It registers one procedure for each kind of
login, prints a line of JSON when it is there, and one for each question that it is asked.
"""

import asyncio
import json
import sys

from autobahn.asyncio.component import Component
from autobahn.wamp.exception import ApplicationError

TICKETS = {"alice": {"ticket": "wonderland", "role": "user"}}

SECRETS = {
    "alice": {"secret": "wonderland", "role": "user"},
    "hans": {"authid": "ID09125", "secret": "123456", "role": "user"},
    # The key that is derived from "secret1".
    "peter": {
        "secret": "prq7+YkJ1/KlW1X0YczMHw==",
        "role": "user",
        "salt": "salt123",
        "iterations": 100,
        "keylen": 16,
    },
}

# The public half of each one's key.
KEYS = {"alice": {"pubkey": "19a71c146a8f384c976c8d41dfcf26fecb1a29edfbe528b0ae05530237786cc8", "role": "user"}}


def by_ticket(realm, authid, details):
    report({"procedure": "ticket", "realm": realm, "authid": authid, "details": details})
    principal = TICKETS.get(authid)
    if principal is None:
        raise ApplicationError("com.acme.no_such_user", f"there is no {authid}")
    ticket = details["ticket"]
    if ticket != principal["ticket"]:
        raise ApplicationError("com.acme.invalid_ticket", f"{ticket!r} is not the ticket of {authid}")
    return principal["role"]


def by_secret(realm, authid, details):
    report({"procedure": "wampcra", "realm": realm, "authid": authid, "details": details})
    if authid in SECRETS:
        return SECRETS[authid]
    raise ApplicationError("com.acme.no_such_user", f"there is no {authid}")


def by_key(realm, authid, details):
    report({"procedure": "cryptosign", "realm": realm, "authid": authid, "details": details})
    if authid in KEYS:
        return KEYS[authid]
    raise ApplicationError("com.acme.no_such_user", f"there is no {authid}")


async def by_token(realm, authid, details):
    report({"procedure": "token", "realm": realm, "authid": authid, "details": details})
    match (details["authextra"] or {}).get("token"):
        case "of-bob":
            return {"authid": "bob", "role": "user", "extra": {"rooms": [1, 2, 3]}}
        case "broken":
            return 1 // 0
        case "nothing":
            return None
        case _:
            return {"role": "guest"}


def report(line):
    print(json.dumps(line), flush=True)


async def main():
    order = json.loads(sys.argv[1])
    component = Component(
        transports=[{"type": "websocket", "url": order["url"], "serializers": ["msgpack"]}],
        realm=order["realm"],
        authentication={"anonymous": {}},
    )

    @component.on_join
    async def joined(session, details):
        await session.register(by_ticket, "com.acme.authenticate")
        await session.register(by_secret, "com.acme.secret")
        await session.register(by_key, "com.acme.key")
        await session.register(by_token, "com.acme.token")
        report({"ready": True})

    await component.start(loop=asyncio.get_running_loop())


asyncio.run(main())
