// What is declared is what is there.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import * as all from "../src/index.js";

const declared = readFileSync(new URL("../src/index.d.ts", import.meta.url), "utf8");

test("every value that is exported is declared, and none besides", () => {
  const names = [...declared.matchAll(/^export declare (?:class|function) (\w+)/gm)].map((found) => found[1]);
  assert.deepEqual(names.toSorted(), Object.keys(all).toSorted());
});

test("every call of the client is declared, and none besides", () => {
  const body = declared.slice(declared.indexOf("class Client {"), declared.indexOf("class SubjectMalformed"));
  const names = [...body.matchAll(/^  (?:readonly )?(\w+)[(:]/gm)].map((found) => found[1]);
  const there = Object.getOwnPropertyNames(all.Client.prototype);
  assert.deepEqual([...new Set(names)].toSorted(), there.toSorted());
});

test("nothing is needed from elsewhere", () => {
  const own = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  assert.equal(own.dependencies, undefined);
  for (const name of ["index", "client", "local", "table", "wire", "scrub", "webhook", "person", "answer", "blake2b"]) {
    const text = readFileSync(new URL(`../src/${name}.js`, import.meta.url), "utf8");
    for (const [, from] of text.matchAll(/from "([^"]+)"/g)) assert.match(from, /^\.\//, `${name} imports ${from}`);
  }
});
