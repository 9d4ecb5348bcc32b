/* Databases and retention policies as people write them: `telegraf.autogen, "my.db"."two weeks"`. */

const PAIR = /^\s*(?:"((?:[^"\\]|\\.)*)"|([^\s".,]+))\.(?:"((?:[^"\\]|\\.)*)"|([^\s".,]+))\s*(?:,|$)/;
const BARE = /^[^\s".,\\]+$/;

/** [{db, rp}], or null for what cannot be read. */
export function readDbrps(text) {
  const found = [];
  for (let rest = text; rest.trim();) {
    const pair = PAIR.exec(rest);
    if (!pair) return null;
    found.push({ db: unquoted(pair[1], pair[2]), rp: unquoted(pair[3], pair[4]) });
    rest = rest.slice(pair[0].length);
  }
  return found;
}

export function writtenDbrps(dbrps) {
  return dbrps.map(({ db, rp }) => `${quoted(db)}.${quoted(rp)}`).join(", ");
}

function unquoted(inQuotes, bare) {
  return inQuotes === undefined ? bare : inQuotes.replace(/\\(.)/g, "$1");
}

function quoted(name) {
  return BARE.test(name) ? name : `"${name.replace(/["\\]/g, "\\$&")}"`;
}
