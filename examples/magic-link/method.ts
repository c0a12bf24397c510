// A login method: takes the links that a site mails to its users, each once, and soon.
//
// A link ends in #AUTHID.MADE.TAG: when it was made, in milliseconds since 1970, and the HMAC-SHA-256 of
// the JSON text [REALM,AUTHID,MADE] in hex, under the secret of the site's credential `wampcra`. The
// router makes the HMAC, so this method never has the secret.

import type { About, Method } from 'countersign';
import { advance } from 'countersign:auth/counters@0.1.0';
import { find } from 'countersign:auth/credentials@0.1.0';

const MINUTE = 60_000;

/** What a realm's file may say under `settings`. */
interface Settings {
  /** The authid under which the router keeps the site's secret. */
  site: string;
  /** How long a link is good. */
  minutes: number;
}

interface Link {
  authid: string;
  made: number;
  tag: Uint8Array;
}

function read(text: string): Settings {
  const { site = 'site', minutes = 15, ...others } = JSON.parse(text);
  if (typeof site !== 'string' || site === '') throw '`site`: the name of a credential is needed';
  if (!Number.isInteger(minutes) || minutes < 1 || minutes > 1440) {
    throw '`minutes`: a number from 1 to 1440 is needed';
  }
  for (const name in others) throw `unknown setting \`${name}\``;
  return { site, minutes };
}

/** Takes a link apart, or what stands after its `#`. */
function parse(text: string): Link | undefined {
  // An authid may have dots in it, so the last two are what counts.
  const parts = /^(?:[^#]*#)?([^#]+)\.(\d{1,15})\.([0-9a-f]{64})$/.exec(text.trim());
  if (text.length > 4096 || !parts) return undefined;
  const [, authid = '', made = '', tag = ''] = parts;
  const octets = tag.match(/../g)!.map((pair) => parseInt(pair, 16));
  try {
    return { authid: decodeURIComponent(authid), made: Number(made), tag: Uint8Array.from(octets) };
  } catch {
    return undefined;
  }
}

const deny = (why: string) => ({ tag: 'deny', val: why }) as const;

export const about: About = {
  describe: () => ({
    name: 'magic-link',
    version: '0.1.0',
    summary: 'takes the links that a site mails to its users, each once',
    // The user's first: who is locked is so for that kind. The other is the site's.
    credentialKinds: ['ticket', 'wampcra'],
    // Whoever sees a link before it was used can use it.
    extra: JSON.stringify({ 'clear-secret': true }),
  }),
  check: (settings) => void read(settings),
};

export const method: Method = {
  begin() {
    const extra = JSON.stringify({ prompt: 'The link from your mail?' });
    return { tag: 'challenge', val: { extra, state: new Uint8Array() } };
  },

  resume(attempt, answer) {
    const { site, minutes } = read(attempt.settings);
    const link = parse(answer.signature);
    if (!link) return deny('this is no link');
    const signed = JSON.stringify([attempt.realm, link.authid, link.made]);
    using key = find('wampcra', site);
    if (!key.verifyHmac('sha256', new TextEncoder().encode(signed), link.tag)) {
      return deny('the site has not made this link');
    }
    const age = Number(attempt.now) - link.made;
    if (age > minutes * MINUTE) return deny('this link is good no more');
    if (age < -MINUTE) return deny("this link is of the future: the site's clock is wrong");
    if ((attempt.authid ?? link.authid) !== link.authid) return deny('this link is for somebody else');

    // True once, for whoever comes first, and never for a link that was made earlier, nor for somebody
    // who has no ticket.
    using user = find('ticket', link.authid);
    if (!advance(user, BigInt(link.made))) return deny('this link was used, or one that is newer');
    const [authid, authrole] = [user.authid(), user.authrole()];
    return { tag: 'accept', val: { authid, authrole, authextra: '{}' } };
  },
};
