// The site's part: makes a link. What the site does beside that is to mail it to the address that it
// knows of the person, and to nobody else.
//
//     MAGIC_LINK_SECRET=... node link.mjs REALM AUTHID https://app.example/login

import { createHmac } from 'node:crypto';

const [realm, authid, page] = process.argv.slice(2);
const secret = process.env.MAGIC_LINK_SECRET;
if (!page || !secret) {
  console.error('usage: MAGIC_LINK_SECRET=... node link.mjs REALM AUTHID PAGE');
  process.exit(1);
}
const made = Date.now();
const tag = createHmac('sha256', secret)
  .update(JSON.stringify([realm, authid, made]))
  .digest('hex');
console.log(`${page}#${encodeURIComponent(authid)}.${made}.${tag}`);
