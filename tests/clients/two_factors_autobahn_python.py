"""Logs in with autobahn-python by two factors: {"form", "serializer", "authid", "secret", "code"}.

The form "rounds" answers two CHALLENGEs; "hello" sends the code in HELLO.
"""

from autobahn.wamp import auth

from autobahn_python_login import Login, run


class TwoFactors(Login):
    def onConnect(self):
        login = self.login
        extra = {"totp": login["code"]} if login["form"] == "hello" else None
        self.join(self.config.realm, ["wampcra", "totp"], login["authid"], authextra=extra)

    def answer(self, challenge):
        if challenge.method == "totp":
            return self.login["code"]
        key, extra = self.login["secret"].encode(), challenge.extra
        if "salt" in extra:
            key = auth.derive_key(key, extra["salt"], extra["iterations"], extra["keylen"])
        return auth.compute_wcs(key, extra["challenge"]).decode()


run(TwoFactors)
