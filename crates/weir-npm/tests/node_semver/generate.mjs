// Writes cases.txt: what npm's own `semver` says of versions and ranges, for ../node_semver.rs.
//
// To run it again, anywhere outside of this repository:
//
//   npm install --no-save semver@7.8.6
//   NODE_PATH=$PWD/node_modules node <here>/generate.mjs > <here>/cases.txt
//
// The same version of `semver` gives the same file: the random numbers have a fixed seed.

import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(path.join(process.env.NODE_PATH ?? '.', 'here.js'));
const semver = require('semver');
const { version: release } = require('semver/package.json');

// mulberry32: small, and the same everywhere.
let state = 0x77656972;
function random(below) {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) % below;
}
const pick = (list) => list[random(list.length)];

// Around every bound that the ranges below can have; the last ones only the loose reading takes.
const versions = `0.0.0-0 0.0.0-alpha 0.0.0 0.0.1-0 0.0.1-beta.2 0.0.1 0.0.2 0.0.9 0.1.0-0 0.1.0-rc.1 0.1.0 0.1.2
  0.2.0-alpha 0.2.0 0.2.3 0.2.9 0.3.0 0.9.9 1.0.0-0 1.0.0-1 1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta
  1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 1.0.0+build 1.0.1-rc.1 1.0.1 1.1.0-0 1.1.0 1.2.0-0 1.2.0-rc.1 1.2.0 1.2.2
  1.2.3-0 1.2.3-alpha 1.2.3-beta.2 1.2.3-beta.4 1.2.3 1.2.3-beta.4+b.7 1.2.4-0 1.2.4-beta.2 1.2.4 1.2.9 1.3.0-0
  1.3.0-rc.1 1.3.0 1.9.0 1.10.0 2.0.0-0 2.0.0-rc.1 2.0.0 2.0.1 2.3.4 2.3.5-0 2.3.5 3.0.0-0 3.0.0 10.0.0
  9007199254740991.0.0 1.0.0--1 1.2.3beta v1.2.3 =1.2.4 01.02.03 1.2.3-01 1.2.3-`.split(/\s+/);
const refused = ['', '1', '1.2', '1.2.3.4', 'x', 'latest', '1.2.3-a..b', '1.2.3+', '1.2.3 -rc', 'a1.2.3',
  '9007199254740992.0.0', '-1.2.3', '1..3', '1.2.x', `1.0.0-${'a'.repeat(251)}`];

// Written down by people, or odd on purpose.
const known = ['', '*', ' ', 'x', 'X.x', 'x.1', '1.x.3', '1.*', '*.*.*', '~x', '^x', '>x', '<x', '>=x', '<=*', '=*', '||', '1 ||',
  '|| 2', '1 || || 2', '* || 1.2.3-beta.2', '1.2.3-beta.2 || *', '<0.0.0-0', '<0.0.0', '>=0.0.0', '>=0.0.0-0', '>=0',
  '>0', '<1 || >=2.0.0-rc.1', '>=1.0.0, <2.0.0', '>= 1.2.3 , < 2', '1.2.3 foo', 'foo || 2', 'foo', 'latest', 'next-1', 'foo bar',
  '1.2.3 - 2.3.4', '1.2.3-2.3.4', '1.2 - 2.3', '1 - 2', '* - 2', '1 - *', '1.2.3-beta.2 - 1.2.3-beta.4', '1.2.3 - 1.2.3',
  '2 - 1', ' 1.2.3  -  2.3.4 ', '1.2.3 -2.3.4', '1.2.3- 2.3.4', '1.0.0+build - 2.0.0+build', '1.2.3beta - 2.3.4', 'v1.2.3 - v2',
  '=1.2.3', '= 1.2.3', '==1.2.3', 'v1.2.3', '=v1.2.3', 'v 1.2.3', '> 1.2.3', '>\t1.2.3', '^ 1.2.3', '~ 1.2.3', '~> 1.2.3', '~>1.2.3',
  '~=1.2.3', '^=1.2.3', '^v1.2.3', '~v1', '>=v1.2.3', '<=v2', '>=10 1.1.0', '1.2.3 1.2.4', '1.2.3beta', '01.02.03', '>=01.02.03',
  '1.2.3-01', '^1.2.3-beta', '^0.0.1-beta', '^0.0', '^0', '^0.0.0', '~0.0.0', '~0', '~0.0', '^0.x', '^0.0.x', '^1.x.3', '~1.x.3',
  '>=1.x.3', '>1.2.3-alpha <1.2.3-beta.4', '>=1.2.3-alpha <2', '<1.2.3-beta.2', '>1.0.0 <1.0.0', '>=1.0.0 <=1.0.0',
  '9007199254740991.0.0', '^9007199254740990.0.0', '^9007199254740991.0.0', '9007199254740992.0.0', '>9007199254740991',
  '1.2.3-', '1.2.3+', '1.2.3+build', '>=1.2.3+build', '~1.2.3+build', '<=1.2.3-beta.2+b', '>=1.2.3-beta.2+b <2+b',
  '1.0.0--1', '^1.0.0--1', '>=1.2.3 || <1', '^1 || ^2 || ^3', '~1.2.3 || 1.9.0', '^1.2.3 <1.9', '>1 <3', '>=1 <2 || >=2.3',
  '> 1 || < 0.2', '!1.2.3', '1.2.3 || !', '<>1.2.3', '><1', '=>1.2.3', '=<1.2.3', '>>1', '1.2.3.4', '1.2.3 || 1.2.3.4', '^', '~',
  '>', '>=', '=', '1.', '.1', '1..2', '^1.', '- 1', '1 -', '1 - 2 - 3', '1 - 2 || 3', '1 - 2 3', '0 1 - 2', 'workspace:*', 'npm:a@1',
  'git+ssh://h.invalid/r', './a', '^1.2.3 || file:a', '>=1.0.0-rc.1 <1.0.0', '1.x - 2.x', '1.2.x - 2', '<2.0.0-0', '<2-0', '^2-0'];

const number = () => pick(['0', '0', '1', '1', '2', '3', '9', '10']);
const part = () => (random(9) === 0 ? pick(['x', 'X', '*']) : number());
const pre = () => pick(['-0', '-alpha', '-alpha.1', '-beta.2', '-rc.1', '-1', '-beta.11', '--1']);
function partial() {
  const parts = [pick(['0', '1', '1', '1', '2', '3', 'x'])];
  const count = pick([1, 2, 2, 3, 3, 3, 3, 3]);
  while (parts.length < count) parts.push(part());
  let text = parts.join('.');
  if (count === 3 && random(4) === 0) text += pre();
  if (count === 3 && random(12) === 0) text += '+b.1';
  return (random(14) === 0 ? pick(['v', '=', 'v']) : '') + text;
}
const sign = () => pick(['', '', '^', '^', '~', '~', '>', '>=', '>=', '<', '<=', '=', '~>']);
const simple = () => sign() + pick(['', '', '', '', ' ', '  ']) + partial();
function alternative() {
  switch (random(8)) {
    case 0: return `${partial()} - ${partial()}`;
    case 1: return `>=${partial()} <${partial()}`;
    case 2: return `${simple()} ${simple()}`;
    case 3: return random(6) === 0 ? '' : `>${partial()} <=${partial()}`;
    default: return simple();
  }
}
function range() {
  const count = pick([1, 1, 1, 1, 2, 2, 3]);
  return Array.from({ length: count }, alternative).join(pick(['||', ' || ', ' ||', '|| ']));
}
const ranges = new Set(known);
while (ranges.size < 1200) ranges.add(range());

const MODES = [{}, { loose: true }, { loose: true, includePrerelease: true }];
function judge(text, options) {
  if (semver.validRange(text, options) === null) return '-';
  let bits = 0n;
  versions.forEach((version, at) => { if (semver.satisfies(version, text, options)) bits |= 1n << BigInt(at); });
  const best = semver.maxSatisfying(versions, text, options);
  return `${bits.toString(16)},${best === null ? '-' : versions.indexOf(best)}`;
}

const line = (text) => process.stdout.write(`${text}\n`);
line(`# Written by generate.mjs with semver ${release}; not to be edited.`);
line('# version <text> <s: strictly valid> <canonical form>');
for (const text of versions) {
  line(`version\t${JSON.stringify(text)}\t${semver.valid(text) === null ? '' : 's'}\t${semver.valid(text, { loose: true })}`);
}
line('# refused <text>: a version in no mode');
for (const text of refused) {
  if (semver.valid(text, { loose: true }) !== null) throw new Error(`${text} is a version`);
  line(`refused\t${JSON.stringify(text)}`);
}
line('# order: each version against each of the above');
for (const a of versions) line(`order\t${versions.map((b) => '<=>'[semver.compareLoose(a, b) + 1]).join('')}`);
line('# range <text> <default> <loose> <loose, with prereleases>: versions inside as bits, and the highest; - is no range');
for (const text of ranges) line(['range', JSON.stringify(text), ...MODES.map((mode) => judge(text, mode))].join('\t'));
