// Does with autobahn-js what a test asks for, and prints one line of JSON for each job.
//
// The first argument is JSON: {"url": ..., "jobs": [{"scenario", "method", "serializer", "authid",
// "secret"}, ...]}. The scenarios are the functions in `scenarios`.

import autobahn from "autobahn";

const report = (line) => console.log(JSON.stringify(line));

const serializers = {
  json: autobahn.serializer.JSONSerializer,
  msgpack: autobahn.serializer.MsgpackSerializer,
  cbor: autobahn.serializer.CBORSerializer,
};

const scenarios = {
  // Subscribes, publishes, registers and calls, all by itself.
  async tour(session) {
    const heard = deferred();
    await session.subscribe("com.example.tour", (args, kwargs) => heard.resolve([args, kwargs]));
    const options = { acknowledge: true, exclude_me: false };
    await session.publish("com.example.tour", ["hello", 2], { size: { deep: [true] } }, options);
    const registration = await session.register("com.example.tour.add", ([a, b]) => a + b);
    const result = await session.call("com.example.tour.add", [2, 3]);
    await registration.unregister();
    return { event: await heard.promise, result };
  },

  // Is there for others, until it has heard of them.
  async host(session) {
    const heard = deferred();
    await session.subscribe("com.example.news", (args, kwargs) => heard.resolve([args, kwargs]));
    await session.register("com.example.add", ([a, b]) => a + b);
    report({ ready: true });
    return { event: await heard.promise };
  },

  // Uses what a host offers.
  async visit(session) {
    const result = await session.call("com.example.add", [20, 3]);
    const options = { acknowledge: true };
    await session.publish("com.example.news", ["hello", 2], { size: { deep: [true] } }, options);
    return { result };
  },

  // Waits for the end of the session.
  idle() {
    report({ ready: true });
    return new Promise(() => {});
  },
};

function deferred() {
  const parts = {};
  parts.promise = new Promise((resolve) => (parts.resolve = resolve));
  return parts;
}

function authentication({ method, authid, secret }) {
  if (method === "anonymous") return { authmethods: [method] };
  const key = method === "cryptosign" && autobahn.nacl.sign.keyPair.fromSeed(Buffer.from(secret, "hex"));
  const answers = {
    ticket: () => secret,
    wampcra: ({ challenge, salt, iterations, keylen }) =>
      autobahn.auth_cra.sign(
        salt ? autobahn.auth_cra.derive_key(secret, salt, iterations, keylen) : secret,
        challenge,
      ),
    cryptosign: (extra) => autobahn.auth_cryptosign.sign_challenge(key, extra),
  };
  return {
    authmethods: [method],
    authid,
    authextra: key ? { pubkey: autobahn.auth_cryptosign.public_key(key) } : {},
    onchallenge: (_session, asked, extra) => answers[asked](extra),
  };
}

function run(url, job) {
  return new Promise((resolve) => {
    const outcome = {};
    const connection = new autobahn.Connection({
      transports: [{ type: "websocket", url, serializers: [new serializers[job.serializer]()] }],
      realm: "realm1",
      max_retries: 0,
      ...authentication(job),
    });
    connection.onopen = async (session, { authid, authrole, authmethod }) => {
      outcome.welcome = { authid, authrole, authmethod, session: session.id };
      outcome.serializer = connection.transport.info.protocol;
      try {
        Object.assign(outcome, await scenarios[job.scenario](session));
      } catch (error) {
        outcome.error = error.error ?? String(error);
      }
      connection.close();
    };
    connection.onclose = (reason, details) => {
      outcome.left = details.reason ?? reason;
      resolve(outcome);
      return true; // do not connect again
    };
    connection.open();
  });
}

const { url, jobs } = JSON.parse(process.argv[2]);
for (const job of jobs) report(await run(url, job));
process.exit();
