// A login method: lets in whoever knows the word.

// What a realm's file may say under `settings`. A thrown text is the answer `err`.
function read(text) {
  const { word, ...others } = JSON.parse(text);
  if (typeof word !== 'string' || word === '') throw '`word`: a text is needed';
  for (const name in others) throw `unknown setting \`${name}\``;
  return { word };
}

export const about = {
  describe: () => ({
    name: '{{name}}',
    version: '0.1.0',
    summary: 'lets in whoever knows the word',
    credentialKinds: [],
    // The client sends the word as it is.
    extra: JSON.stringify({ 'clear-secret': true }),
  }),
  check: (settings) => void read(settings),
};

export const method = {
  begin(attempt) {
    const extra = JSON.stringify({ question: 'What is the word?' });
    return { tag: 'challenge', val: { extra, state: new Uint8Array() } };
  },

  resume(attempt, answer) {
    const { word } = read(attempt.settings);
    if (answer.signature !== word) return { tag: 'deny', val: 'that is not the word' };
    const authid = attempt.authid ?? 'somebody';
    return { tag: 'accept', val: { authid, authrole: 'guest', authextra: '{}' } };
  },
};
