// Logs in to a WAMP router, then subscribes, publishes, registers and calls.
//
//     npm install autobahn
//     node login.mjs
//     node login.mjs --method cryptosign --secret "$(cat demo/alice.key)"

import { parseArgs } from "node:util";
import autobahn from "autobahn";

const { values: options } = parseArgs({
  options: {
    url: { type: "string", default: "ws://127.0.0.1:8080/ws" },
    realm: { type: "string", default: "realm1" },
    authid: { type: "string", default: "alice" },
    method: { type: "string", default: "wampcra" }, // or ticket, cryptosign, anonymous
    secret: { type: "string", default: "wonderland" }, // for cryptosign: the private key in hex
  },
});

const isAnonymous = options.method === "anonymous";
const key =
  options.method === "cryptosign" &&
  autobahn.nacl.sign.keyPair.fromSeed(Buffer.from(options.secret, "hex"));

// How each method answers the router's CHALLENGE.
const answers = {
  wampcra({ challenge, salt, iterations, keylen }) {
    const { sign, derive_key } = autobahn.auth_cra;
    const { secret } = options;
    return sign(salt ? derive_key(secret, salt, iterations, keylen) : secret, challenge);
  },
  ticket() {
    return options.secret;
  },
  cryptosign(extra) {
    return autobahn.auth_cryptosign.sign_challenge(key, extra);
  },
};

const connection = new autobahn.Connection({
  url: options.url,
  realm: options.realm,
  authid: isAnonymous ? undefined : options.authid,
  authmethods: [options.method],
  authextra: key ? { pubkey: autobahn.auth_cryptosign.public_key(key) } : {},
  onchallenge: (session, method, extra) => answers[method](extra),
  max_retries: 0,
});

connection.onopen = async (session, { authid, authrole, authmethod }) => {
  console.log(`logged in as ${authid}, role ${authrole}, by ${authmethod}`);

  await session.subscribe("com.example.greeting", ([text]) => console.log(`event: ${text}`));
  console.log("subscribed to com.example.greeting");

  // A publisher does not hear itself, unless it says so.
  const loud = { acknowledge: true, exclude_me: false };
  const publication = await session.publish("com.example.greeting", ["hello"], {}, loud);
  console.log(`published as ${publication.id}`);

  await session.register("com.example.add", ([a, b]) => a + b);
  console.log("registered com.example.add");

  const total = await session.call("com.example.add", [2, 3]);
  console.log(`called it: 2 + 3 = ${total}`);

  connection.close();
};

connection.onclose = (how, { reason, message }) => {
  console.log(`left: ${reason ?? how}`, message ? `(${message})` : "");
  process.exitCode = reason?.startsWith("wamp.close.") ? 0 : 1;
};

connection.open();
