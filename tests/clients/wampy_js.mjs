// Does with wampy.js what a test asks for, and prints one line of JSON for each job.
//
// The first argument is JSON: {"url": ..., "jobs": [{"scenario", "method", "serializer", "authid",
// "secret"}, ...]}. The scenarios are the functions in `scenarios`.

import nacl from "tweetnacl";
import { Wampy } from "wampy";
import { CborSerializer } from "wampy/CborSerializer.js";
import { JsonSerializer } from "wampy/JsonSerializer.js";
import { MsgpackSerializer } from "wampy/MsgpackSerializer.js";
import * as cryptosign from "wampy/cryptosign.js";
import * as wampcra from "wampy/wampcra.js";
import WebSocket from "ws";

// Its MessagePack makes a BigInt of a session's id, which JSON does not know.
const plain = (_key, value) => (typeof value === "bigint" ? Number(value) : value);
const report = (line) => console.log(JSON.stringify(line, plain));

const serializers = { json: JsonSerializer, msgpack: MsgpackSerializer, cbor: CborSerializer };

const answers = {
  ticket: (secret) => () => secret,
  wampcra: wampcra.sign,
  cryptosign: cryptosign.sign,
};

const scenarios = {
  // Subscribes, publishes, registers and calls. A publisher of wampy's never hears itself, so there
  // is a second client.
  async tour(client, again) {
    const other = await again();
    const { promise, resolve } = deferred();
    await other.subscribe("com.example.tour", ({ argsList, argsDict }) => resolve([argsList, argsDict]));
    const payload = { argsList: ["hello", 2], argsDict: { size: { deep: [true] } } };
    await client.publish("com.example.tour", payload);
    await client.register("com.example.tour.add", ({ argsList: [a, b] }) => ({ argsList: [a + b] }));
    const { argsList } = await other.call("com.example.tour.add", [2, 3]);
    await client.unregister("com.example.tour.add");
    const event = await promise;
    await other.disconnect();
    return { event, result: argsList[0] };
  },

  // Is there for others, until it has heard of them.
  async host(client) {
    const { promise, resolve } = deferred();
    await client.subscribe("com.example.news", ({ argsList, argsDict }) => resolve([argsList, argsDict]));
    await client.register("com.example.add", ({ argsList: [a, b] }) => ({ argsList: [a + b] }));
    report({ ready: true });
    return { event: await promise };
  },

  // Uses what a host offers.
  async visit(client) {
    const { argsList } = await client.call("com.example.add", [20, 3]);
    const payload = { argsList: ["hello", 2], argsDict: { size: { deep: [true] } } };
    await client.publish("com.example.news", payload);
    return { result: argsList[0] };
  },

  // Waits for the end of the session.
  idle() {
    report({ ready: true });
    return new Promise(() => {});
  },
};

function publicKey(seed) {
  const { publicKey } = nacl.sign.keyPair.fromSeed(Buffer.from(seed, "hex"));
  return Buffer.from(publicKey).toString("hex");
}

function deferred() {
  const parts = {};
  parts.promise = new Promise((resolve) => (parts.resolve = resolve));
  return parts;
}

async function connect(url, { method, serializer, authid, secret }, onClose) {
  const client = new Wampy(url, {
    ws: WebSocket,
    realm: "realm1",
    serializer: new serializers[serializer](),
    autoReconnect: false,
    authid,
    authmethods: [method],
    authextra: method === "cryptosign" ? { pubkey: publicKey(secret) } : {},
    authPlugins: { [method]: answers[method](secret) },
    authMode: "auto",
    onClose,
  });
  const { authid: as, authrole, authmethod } = await client.connect();
  const welcome = { authid: as, authrole, authmethod, session: client.getSessionId() };
  return { client, welcome };
}

async function run(url, job) {
  const outcome = {};
  const closed = deferred();
  try {
    const { client, welcome } = await connect(url, job, closed.resolve);
    outcome.welcome = welcome;
    const again = async () => (await connect(url, job)).client;
    const work = scenarios[job.scenario](client, again);
    // Where the router ends the session the scenario has no end of its own.
    Object.assign(outcome, await Promise.race([work, closed.promise]));
    await client.disconnect();
  } catch (error) {
    outcome.left = error.errorUri ?? error.error ?? String(error);
  }
  return outcome;
}

const { url, jobs } = JSON.parse(process.argv[2]);
for (const job of jobs) report(await run(url, job));
process.exit();
