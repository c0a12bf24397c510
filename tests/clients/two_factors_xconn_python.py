"""Logs in with xconn by two factors, and prints one line of JSON for each login.

The first argument is JSON: {"url": ..., "logins": [{"form", "serializer", "authid", "secret",
"code"}, ...]}. It answers one CHALLENGE only, so the only form is "hello": the code is in HELLO.
"""

import json
import os
import sys

from wampproto import auth, serializers
from wampproto.exception import ApplicationError
from xconn.client import Client

SERIALIZERS = {
    "json": serializers.JSONSerializer,
    "msgpack": serializers.MsgPackSerializer,
    "cbor": serializers.CBORSerializer,
}


class Wampcra(auth.WAMPCRAAuthenticator):
    """Notes what it is asked for."""

    def __init__(self, login):
        super().__init__(login["authid"], login["secret"], {"totp": login["code"]})
        self.asked = []

    def authenticate(self, challenge):
        self.asked.append(challenge.authmethod)
        return super().authenticate(challenge)


def log_in(url, login):
    wampcra = Wampcra(login)
    client = Client(wampcra, SERIALIZERS[login["serializer"]]())
    try:
        session = client.connect(url, "realm1")
    except ApplicationError as error:
        return {"asked": wampcra.asked, "left": error.message}
    # It does not keep the authmethod.
    details = session._base_session.session_details
    session.leave()
    return {"asked": wampcra.asked, "authid": details.authid, "authrole": details.authrole}


order = json.loads(sys.argv[1])
for login in order["logins"]:
    assert login["form"] == "hello"
    print(json.dumps(log_in(order["url"], login)), flush=True)
# Its threads need not all have come to an end.
os._exit(0)
