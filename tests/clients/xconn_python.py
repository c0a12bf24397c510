"""Does with xconn what a test asks for, and prints one line of JSON for each job.

The first argument is JSON: {"url": ..., "jobs": [{"scenario", "method", "serializer", "authid",
"secret"}, ...]}. The scenarios are the functions `tour`, `host`, `visit` and `idle`. The URL can be
one for RawSocket (rs:) or for a Unix socket (unix: and unix+ws:).
"""

import json
import os
import sys
from concurrent.futures import Future

from wampproto import auth, serializers
from wampproto.exception import ApplicationError
from xconn.client import Client
from xconn.types import Result

SERIALIZERS = {
    "json": serializers.JSONSerializer,
    "msgpack": serializers.MsgPackSerializer,
    "cbor": serializers.CBORSerializer,
}


def authenticator(job):
    kinds = {
        "ticket": auth.TicketAuthenticator,
        "wampcra": auth.WAMPCRAAuthenticator,
        "cryptosign": auth.CryptoSignAuthenticator,
    }
    if job["method"] == "anonymous":
        # It sends an authid whatever happens: an empty one.
        return auth.AnonymousAuthenticator("")
    return kinds[job["method"]](job["authid"], job["secret"])


def add(invocation):
    return Result([sum(invocation.args)])


def hear(session, topic):
    heard = Future()
    session.subscribe(topic, lambda event: heard.set_result([event.args, event.kwargs]))
    return heard


def publish(session, topic, **options):
    options = {"acknowledge": True, **options}
    session.publish(topic, ["hello", 2], {"size": {"deep": [True]}}, options)


def tour(session, gone):
    """Subscribes, publishes, registers and calls, all by itself."""
    heard = hear(session, "com.example.tour")
    publish(session, "com.example.tour", exclude_me=False)
    registration = session.register("com.example.tour.add", add)
    total = session.call("com.example.tour.add", [2, 3]).args[0]
    registration.unregister()
    return {"event": heard.result(), "result": total}


def host(session, gone):
    """Is there for others, until it has heard of them."""
    heard = hear(session, "com.example.news")
    session.register("com.example.add", add)
    report({"ready": True})
    return {"event": heard.result()}


def visit(session, gone):
    """Uses what a host offers."""
    total = session.call("com.example.add", [20, 3]).args[0]
    publish(session, "com.example.news")
    return {"result": total}


def idle(session, gone):
    """Waits for the end of the connection."""
    report({"ready": True})
    gone.result()
    return {}


def do(url, job):
    outcome = {}
    gone = Future()
    client = Client(authenticator(job), SERIALIZERS[job["serializer"]]())
    try:
        session = client.connect(url, "realm1", disconnect_callback=lambda: gone.set_result(None))
    except ApplicationError as error:
        outcome["left"] = error.message
        return outcome
    # It does not keep the authmethod.
    details = session._base_session.session_details
    outcome["welcome"] = {
        "authid": details.authid,
        "authrole": details.authrole,
        "session": details.session_id,
    }
    outcome.update(globals()[job["scenario"]](session, gone))
    if not gone.done():
        session.leave()
    return outcome


def report(line):
    print(json.dumps(line), flush=True)


order = json.loads(sys.argv[1])
for job in order["jobs"]:
    report(do(order["url"], job))
# Its threads need not all have come to an end.
os._exit(0)
