"""Logs in with autobahn-python by a token: {"form", "serializer", "token"}.

The form "rounds" answers a CHALLENGE; "hello" sends the token in HELLO.
"""

from autobahn_python_login import Login, run


class WithToken(Login):
    def onConnect(self):
        token = self.login["token"]
        extra = {"token": token} if self.login["form"] == "hello" else None
        self.join(self.config.realm, ["jwt"], authextra=extra)

    def answer(self, challenge):
        return self.login["token"]


run(WithToken)
