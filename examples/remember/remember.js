// Logs in: by the cookie of an earlier login where the browser has one, else by name and secret.

const form = document.querySelector("form");
const output = document.querySelector("output");
let connection;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  output.value = "…";
  if (event.submitter.value === "logout") {
    // Ends the cookie too, and whatever else came by it.
    connection?.close("wamp.close.logout");
    return;
  }
  logIn(Object.fromEntries(new FormData(form)));
});

function logIn({ url, realm, authid, secret }) {
  const opened = new autobahn.Connection({
    url,
    realm,
    // The cookie says whose it is; the name is for when there is none.
    authid: authid || undefined,
    authmethods: ["cookie", "wampcra"],
    authextra: { cookie: true },
    onchallenge: (_session, _method, { challenge, salt, iterations, keylen }) => {
      const key = salt ? autobahn.auth_cra.derive_key(secret, salt, iterations, keylen) : secret;
      return autobahn.auth_cra.sign(key, challenge);
    },
    max_retries: 0,
  });
  opened.onopen = async (_session, { authid, authmethod, authextra }) => {
    const remembered = await remember(url, authextra.cookie);
    output.value = `logged in as ${authid} by ${authmethod}, ${remembered}`;
  };
  opened.onclose = (reason, { reason: why }) => {
    // An earlier connection may end together with this one.
    if (connection !== opened) return;
    // A login that was refused "closes" as well: what the router gave as its reason tells them apart.
    const ended = reason === "closed" && !why?.startsWith("wamp.error.");
    output.value = ended ? "logged out" : `not logged in: ${why ?? reason}`;
  };
  connection = opened;
  opened.open();
}

// Has the browser fetch its cookie. No script ever sees it.
async function remember(url, code) {
  if (!code) return "not remembered";
  const place = `${url.replace(/^ws/, "http")}/cookie`;
  const answer = await fetch(place, { method: "POST", credentials: "include", body: code });
  return answer.ok ? "remembered" : "not remembered";
}
