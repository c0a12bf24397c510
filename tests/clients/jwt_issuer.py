"""Makes keys and tokens with PyJWT, and prints them as one line of JSON: {"jwks": ..., "tokens":
[{"algorithm", "token"}, ...]}.

The first argument is JSON: {"algorithms": [...], "claims": ..., "lifetime": ...}. The claims get an
`exp` that is so many seconds away.
"""

import json
import sys
import time

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms


def key(algorithm):
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(public_exponent=65537, key_size=4096 if algorithm == "PS256" else 2048)


def main():
    order = json.loads(sys.argv[1])
    keys, tokens = [], []
    for algorithm in order["algorithms"]:
        private = key(algorithm)
        jwk = json.loads(get_default_algorithms()[algorithm].to_jwk(private.public_key()))
        jwk.update(kid=algorithm, alg=algorithm, use="sig")
        keys.append(jwk)
        claims = {**order["claims"], "iat": int(time.time()), "exp": int(time.time()) + order["lifetime"]}
        token = jwt.encode(claims, private, algorithm=algorithm, headers={"kid": algorithm})
        tokens.append({"algorithm": algorithm, "token": token})
    print(json.dumps({"jwks": {"keys": keys}, "tokens": tokens}))


main()
