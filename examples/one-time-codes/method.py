"""A login method: takes the codes of a list, each once.

The list is CSV with three columns: the authid, the code's number, and the SHA-256 of the code in hex.
It is in the realm's file. A code is good until it or one with a higher number was used; which that
was, the router keeps with the authid's ticket.
"""

import csv
import hashlib
import hmac
import json

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.about import Manifest
from wit_world.imports import counters, credentials
from wit_world.imports.types import Challenge, Identity
from wit_world.imports.types import Verdict_Accept, Verdict_Challenge, Verdict_Deny

# The interpreter is frozen now. Modules that are imported when something is first used must be used
# before that.
hashlib.sha256(b"").hexdigest()
hmac.compare_digest("", "")


def read(text):
    """The rows of the list that a realm's file has."""
    settings = json.loads(text)
    if set(settings) != {"codes"} or not isinstance(settings["codes"], str):
        raise Err("`codes`: this one setting is needed, a text of lines `authid,number,sha256`")
    codes = []
    for row in csv.reader(settings["codes"].strip().splitlines()):
        if len(row) != 3 or not row[1].strip().isdigit() or len(row[2].strip()) != 64:
            raise Err(f"`codes`: {','.join(row)!r} is no line of `authid,number,sha256`")
        codes.append((row[0].strip(), int(row[1]), row[2].strip().lower()))
    return codes


class About(exports.About):
    def describe(self):
        extra = json.dumps({"clear-secret": True})
        return Manifest("one-time-codes", "0.1.0", "takes the codes of a list, each once", ["ticket"], extra)

    def check(self, settings):
        read(settings)


class Method(exports.Method):
    def begin(self, attempt):
        if attempt.authid is None:
            return Verdict_Deny("the client gave no authid")
        return Verdict_Challenge(Challenge(json.dumps({"prompt": "The next code of your list?"}), b""))

    def resume(self, attempt, answer):
        digest = hashlib.sha256(answer.signature.strip().encode()).hexdigest()
        credential = credentials.find("ticket", attempt.authid)
        for authid, number, code in read(attempt.settings):
            if authid == attempt.authid and hmac.compare_digest(code, digest):
                # True once, for whoever comes first, and never for somebody without a ticket.
                if counters.advance(credential, number):
                    return Verdict_Accept(
                        Identity(credential.authid(), credential.authrole(), None, "{}", None)
                    )
                return Verdict_Deny("this code, or a later one, was used")
        return Verdict_Deny("this is no code of the list")
