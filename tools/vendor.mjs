// Copies the few third-party browser files that privacyops ships, and writes what they are beside them.
// Run by `make vendor`; the check of CI repeats it and compares bytes, so it must be deterministic.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";

const STATIC = "privacyops/ui/static";
const VENDOR = `${STATIC}/vendor`;
const AXE = "tests/e2e/vendor";

// Decorative, always beside words. Sorted, so that adding one is a one-line change in the sprite as well.
const ICONS = [
  "affiliate", "alert-triangle", "arrow-back-up", "arrow-right", "ban", "bell", "chart-bar", "check", "checklist",
  "chevron-left", "chevron-right", "circle-check", "circle-x", "clock", "copy", "database", "download",
  "external-link", "eye", "eye-off", "file-text", "hand-stop", "history", "hourglass", "inbox", "info-circle", "key",
  "layout-dashboard", "lock", "logout", "mail", "menu-2", "moon", "pencil", "plug", "plus", "printer", "refresh",
  "search", "send", "settings", "shield-check", "sun", "transfer", "trash", "user-circle", "users", "x",
];

const meta = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8"));
const sha384 = (bytes) => `sha384-${createHash("sha384").update(bytes).digest("base64")}`;
const files = [];

function ship(path, bytes, name, licence) {
  writeFileSync(path, bytes);
  const entry = { file: path, name, version: meta(name).version, licence, bytes: bytes.length, sha384: sha384(bytes) };
  files.push(entry);
}

function sprite() {
  const symbols = ICONS.map((icon) => {
    const svg = readFileSync(`node_modules/@tabler/icons/icons/outline/${icon}.svg`, "utf8");
    const shapes = [...svg.matchAll(/<(?:path|circle|line|rect|polyline)\b[^>]*>/g)]
      .map((match) => match[0].replace(/\s+/g, " ").replace(" />", "/>"))
      .filter((shape) => !shape.includes('stroke="none"'));
    if (shapes.length === 0) throw new Error(`${icon}.svg has no shapes`);
    return `<symbol id="${icon}" viewBox="0 0 24 24">${shapes.join("")}</symbol>`;
  });
  return Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`);
}

for (const folder of [VENDOR, AXE]) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
}
// The source map comment points to a file that is not shipped; without it the browser asks for nothing.
const htmx = readFileSync("node_modules/htmx.org/dist/htmx.min.js", "utf8").replace(/\n?\/\/# sourceMappingURL=.*\s*$/, "\n");
ship(`${VENDOR}/htmx.min.js`, Buffer.from(htmx), "htmx.org", "0BSD");
ship(`${VENDOR}/htmx.LICENSE.txt`, readFileSync("node_modules/htmx.org/LICENSE"), "htmx.org", "0BSD");
ship(`${STATIC}/sprite.svg`, sprite(), "@tabler/icons", "MIT");
ship(`${VENDOR}/tabler-icons.LICENSE.txt`, readFileSync("node_modules/@tabler/icons/LICENSE"), "@tabler/icons", "MIT");
ship(`${AXE}/axe.min.js`, readFileSync("node_modules/axe-core/axe.min.js"), "axe-core", "MPL-2.0");
writeFileSync(`${VENDOR}/manifest.json`, `${JSON.stringify({ files }, null, 2)}\n`);
console.log(files.map((file) => `${file.file}  ${file.name} ${file.version}  ${file.bytes} bytes`).join("\n"));
