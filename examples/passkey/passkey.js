// Logs in to a WAMP router by passkey, and adds passkeys, with autobahn-js.

/** Asks for a passkey, as the router's CHALLENGE says. */
async function use(options) {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  return navigator.credentials.get({ publicKey });
}

/** Asks for a new one. */
async function make(options) {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  return navigator.credentials.create({ publicKey });
}

/**
 * Opens a session. With an enrolment code a passkey is made and kept, which needs an authid;
 * without, one is used, and the authid may be left out.
 */
export function open({ url, realm, authid, enrolment }) {
  return new Promise((resolve, reject) => {
    const connection = new autobahn.Connection({
      url,
      realm,
      authid: authid || undefined,
      authmethods: ["webauthn"],
      authextra: enrolment ? { enrolment } : {},
      max_retries: 0,
      onchallenge: async (_session, _method, extra) => {
        const passkey = await (enrolment ? make(extra) : use(extra));
        return JSON.stringify(passkey);
      },
    });
    connection.onopen = (session, details) => resolve({ connection, session, details });
    connection.onclose = (how, { reason, message }) => {
      reject(new Error(`${reason ?? how}${message ? `: ${message}` : ""}`));
      return true; // do not connect again
    };
    connection.open();
  });
}

const form = document.querySelector("form");
const output = document.querySelector("output");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { url, realm, authid, enrolment } = Object.fromEntries(new FormData(form));
  const code = event.submitter.value === "enrol" ? enrolment : undefined;
  output.value = "…";
  try {
    const { connection, details } = await open({ url, realm, authid, enrolment: code });
    output.value = `logged in as ${details.authid}, role ${details.authrole}`;
    connection.close();
  } catch (error) {
    output.value = `not logged in: ${error.message}`;
  }
});
