"""Logs in to a WAMP router, then subscribes, publishes, registers and calls.

    pip install "autobahn[encryption]"
    python login.py
    python login.py --method cryptosign --secret "$(cat demo/alice.key)"
"""

import argparse

from autobahn.asyncio.component import Component, run
from autobahn.wamp.types import PublishOptions

parser = argparse.ArgumentParser(description="Log in to a WAMP router.")
parser.add_argument("--url", default="ws://127.0.0.1:8080/ws")
parser.add_argument("--realm", default="realm1")
parser.add_argument("--authid", default="alice")
parser.add_argument("--method", default="wampcra", choices=["wampcra", "ticket", "cryptosign", "anonymous"])
parser.add_argument("--secret", default="wonderland", help="for cryptosign: the private key in hex")
arguments = parser.parse_args()

authentication = {
    "wampcra": {"authid": arguments.authid, "secret": arguments.secret},
    "ticket": {"authid": arguments.authid, "ticket": arguments.secret},
    "cryptosign": {"authid": arguments.authid, "privkey": arguments.secret},
    "anonymous": {},
}
component = Component(
    transports=[{"type": "websocket", "url": arguments.url, "serializers": ["json"], "max_retries": 0}],
    realm=arguments.realm,
    authentication={arguments.method: authentication[arguments.method]},
)


@component.on_join
async def joined(session, details):
    print(f"logged in as {details.authid}, role {details.authrole}, by {details.authmethod}")

    def on_greeting(text):
        print(f"event: {text}")

    def add(a, b):
        return a + b

    await session.subscribe(on_greeting, "com.example.greeting")
    print("subscribed to com.example.greeting")

    # A publisher does not hear itself, unless it says so.
    options = PublishOptions(acknowledge=True, exclude_me=False)
    publication = await session.publish("com.example.greeting", "hello", options=options)
    print(f"published as {publication.id}")

    await session.register(add, "com.example.add")
    print("registered com.example.add")

    total = await session.call("com.example.add", 2, 3)
    print(f"called it: 2 + 3 = {total}")

    session.leave()


@component.on_leave
async def left(session, details):
    print(f"left: {details.reason}", f"({details.message})" if details.message else "")


run([component], log_level="error")
