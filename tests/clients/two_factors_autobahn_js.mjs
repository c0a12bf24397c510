// Logs in with autobahn-js by two factors, and prints one line of JSON for each login.
//
// The first argument is JSON: {"url": ..., "logins": [{"form", "serializer", "authid", "secret",
// "code"}, ...]}. The form "rounds" answers two CHALLENGEs; "hello" sends the code in HELLO.

import autobahn from "autobahn";

const serializers = {
  json: autobahn.serializer.JSONSerializer,
  msgpack: autobahn.serializer.MsgpackSerializer,
  cbor: autobahn.serializer.CBORSerializer,
};

function logIn(url, { form, serializer, authid, secret, code }) {
  const answers = {
    wampcra: ({ challenge, salt, iterations, keylen }) =>
      autobahn.auth_cra.sign(
        salt ? autobahn.auth_cra.derive_key(secret, salt, iterations, keylen) : secret,
        challenge,
      ),
    totp: () => code,
  };
  return new Promise((resolve) => {
    const outcome = { asked: [] };
    const connection = new autobahn.Connection({
      transports: [{ type: "websocket", url, serializers: [new serializers[serializer]()] }],
      realm: "realm1",
      max_retries: 0,
      authmethods: ["wampcra", "totp"],
      authid,
      authextra: form === "hello" ? { totp: code } : {},
      onchallenge: (_session, method, extra) => {
        outcome.asked.push(method);
        return answers[method](extra);
      },
    });
    connection.onopen = (_session, { authid, authrole, authmethod }) => {
      Object.assign(outcome, { authid, authrole, authmethod });
      connection.close();
    };
    connection.onclose = (reason, details) => {
      resolve({ ...outcome, left: details.reason ?? reason });
      return true; // do not connect again
    };
    connection.open();
  });
}

const { url, logins } = JSON.parse(process.argv[2]);
for (const login of logins) console.log(JSON.stringify(await logIn(url, login)));
process.exit();
