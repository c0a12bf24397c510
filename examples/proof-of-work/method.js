// A login method: lets everybody in who has spent some time on it, which keeps floods away. The client
// looks for a text that makes the SHA-256 of `CHALLENGE:TEXT` begin with so many zero bits.

function read(text) {
  const { difficulty = 16, ...others } = JSON.parse(text);
  if (!Number.isInteger(difficulty) || difficulty < 1 || difficulty > 30) {
    throw '`difficulty`: a number of bits from 1 to 30 is needed';
  }
  for (const name in others) throw `unknown setting \`${name}\``;
  return { difficulty };
}

const hex = (octets) => Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join('');

export const about = {
  describe: () => ({
    name: 'proof-of-work',
    version: '0.1.0',
    summary: 'lets everybody in who has spent some time on it',
    credentialKinds: [],
    extra: '{}',
  }),
  check: (settings) => void read(settings),
};

export const method = {
  begin(attempt) {
    const { difficulty } = read(attempt.settings);
    // The router's nonce: what was worked for in one login is worth nothing in another.
    const extra = JSON.stringify({ challenge: hex(attempt.nonce), difficulty });
    return { tag: 'challenge', val: { extra, state: new Uint8Array() } };
  },

  resume(attempt, answer) {
    const { difficulty } = read(attempt.settings);
    if (answer.signature.length > 64) return { tag: 'deny', val: 'the answer is too long' };
    const [first] = sha256(new TextEncoder().encode(`${hex(answer.nonce)}:${answer.signature}`));
    if (Math.clz32(first) < difficulty) return { tag: 'deny', val: 'there is no work in this answer' };
    const authid = attempt.authid ?? `visitor-${attempt.session}`;
    return { tag: 'accept', val: { authid, authrole: 'guest', authextra: '{}' } };
  },
};

// FIPS 180-4. The engine's own hash answers by a promise only.
const PRIMES = Array.from({ length: 312 }, (_, n) => n).filter((n) => n > 1 && ![2, 3, 5, 7, 11, 13, 17].some((p) => n > p && n % p === 0));
const fraction = (x) => ((x - Math.floor(x)) * 2 ** 32) >>> 0;
const START = PRIMES.slice(0, 8).map((p) => fraction(Math.sqrt(p)));
const ROUNDS = PRIMES.slice(0, 64).map((p) => fraction(Math.cbrt(p)));
const turn = (x, by) => (x >>> by) | (x << (32 - by));

function sha256(message) {
  const length = ((message.length + 9 + 63) >> 6) << 6;
  const padded = new Uint8Array(length);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(length - 4, message.length * 8);
  const hash = [...START];
  for (let block = 0; block < length; block += 64) {
    const w = [];
    for (let i = 0; i < 64; i++) {
      if (i < 16) {
        w[i] = view.getUint32(block + 4 * i);
        continue;
      }
      const [x, y] = [w[i - 15], w[i - 2]];
      const s0 = turn(x, 7) ^ turn(x, 18) ^ (x >>> 3);
      const s1 = turn(y, 17) ^ turn(y, 19) ^ (y >>> 10);
      w[i] = (w[i - 16] + s0 + w[i - 7] + s1) >>> 0;
    }
    let [a, b, c, d, e, f, g, h] = hash;
    for (let i = 0; i < 64; i++) {
      const s1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25);
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUNDS[i] + w[i]) >>> 0;
      const s0 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22);
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) >>> 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) >>> 0, c, b, a, (t1 + t2) >>> 0];
    }
    [a, b, c, d, e, f, g, h].forEach((word, i) => (hash[i] = (hash[i] + word) >>> 0));
  }
  return hash;
}
