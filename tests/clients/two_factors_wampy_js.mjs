// Logs in with wampy.js by two factors, and prints one line of JSON for each login.
//
// The first argument is JSON: {"url": ..., "logins": [{"form", "serializer", "authid", "secret",
// "code"}, ...]}. The form "rounds" answers two CHALLENGEs; "hello" sends the code in HELLO.

import { Wampy } from "wampy";
import { CborSerializer } from "wampy/CborSerializer.js";
import { JsonSerializer } from "wampy/JsonSerializer.js";
import { MsgpackSerializer } from "wampy/MsgpackSerializer.js";
import * as wampcra from "wampy/wampcra.js";
import WebSocket from "ws";

const serializers = { json: JsonSerializer, msgpack: MsgpackSerializer, cbor: CborSerializer };

async function logIn(url, { form, serializer, authid, secret, code }) {
  const outcome = { asked: [] };
  const noting = (answer) => (method, extra) => {
    outcome.asked.push(method);
    return answer(method, extra);
  };
  const client = new Wampy(url, {
    ws: WebSocket,
    realm: "realm1",
    serializer: new serializers[serializer](),
    autoReconnect: false,
    authid,
    authmethods: ["wampcra", "totp"],
    authextra: form === "hello" ? { totp: code } : {},
    authPlugins: { wampcra: noting(wampcra.sign(secret)), totp: noting(() => code) },
    authMode: "auto",
  });
  try {
    const { authid, authrole, authmethod } = await client.connect();
    Object.assign(outcome, { authid, authrole, authmethod });
    await client.disconnect();
  } catch (error) {
    outcome.left = error.errorUri ?? error.error ?? String(error);
  }
  return outcome;
}

const { url, logins } = JSON.parse(process.argv[2]);
for (const login of logins) console.log(JSON.stringify(await logIn(url, login)));
process.exit();
