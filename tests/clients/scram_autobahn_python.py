"""Logs in with autobahn-python by SCRAM and then a code: {"authid", "secret", "code"}."""

from autobahn.wamp import auth

from autobahn_python_login import Login, run


class ScramAndCode(Login):
    def onConnect(self):
        login = self.login
        self.scram = auth.create_authenticator("scram", authid=login["authid"], password=login["secret"])
        self.join(self.config.realm, ["scram", "totp"], login["authid"], authextra=self.scram.authextra)

    def answer(self, challenge):
        if challenge.method == "totp":
            return self.login["code"]
        return self.scram.on_challenge(self, challenge)

    def onWelcome(self, welcome):
        problem = self.scram.on_welcome(self, welcome.authextra)
        self.outcome["router_is_genuine"] = problem is None
        return problem


run(ScramAndCode)
