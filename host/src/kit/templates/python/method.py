"""A login method: lets in whoever knows the word."""

import json

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.about import Manifest
from wit_world.imports.types import Challenge, Identity
from wit_world.imports.types import Verdict_Accept, Verdict_Challenge, Verdict_Deny


def read(text):
    """What a realm's file may say under `settings`."""
    settings = json.loads(text)
    for name in settings:
        if name != "word":
            raise Err(f"unknown setting `{name}`")
    if not isinstance(settings.get("word"), str):
        raise Err("`word`: a text is needed")
    return settings


class About(exports.About):
    def describe(self):
        # The client sends the word as it is.
        extra = json.dumps({"clear-secret": True})
        return Manifest("{{name}}", "0.1.0", "lets in whoever knows the word", [], extra)

    def check(self, settings):
        read(settings)


class Method(exports.Method):
    def begin(self, attempt):
        question = {"question": "What is the word?"}
        return Verdict_Challenge(Challenge(json.dumps(question), b""))

    def resume(self, attempt, answer):
        if answer.signature != read(attempt.settings)["word"]:
            return Verdict_Deny("that is not the word")
        authid = attempt.authid or "somebody"
        return Verdict_Accept(Identity(authid, "guest", None, "{}", None))
