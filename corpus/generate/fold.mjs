// Writes a file again with its texts put together from pieces, its members named by computed texts and
// `require` under another name. The same input and seed give the same output.

import { createHash } from 'node:crypto';

/** Numbers that look random and depend on the seed alone (mulberry32). */
function numbers(seed) {
  let state = createHash('sha256').update(seed).digest().readUInt32LE(0);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const quoted = (text) => JSON.stringify(text).replace(/[\u007f-\uffff]/g, (c) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'));

/** Ways to write a text. Those that need Node come last. */
const WAYS = [
  (text, random) => {
    const at = 1 + Math.floor(random() * (text.length - 1));
    const second = at + Math.floor(random() * (text.length - at));
    return '(' + [text.slice(0, at), text.slice(at, second), text.slice(second)].filter(Boolean).map(quoted).join(' + ') + ')';
  },
  (text) => `String.fromCharCode(${[...text].map((c) => c.charCodeAt(0)).join(', ')})`,
  (text, random) => {
    const parts = [];
    for (let at = 0; at < text.length;) {
      const length = 1 + Math.floor(random() * 4);
      parts.push(quoted(text.slice(at, at + length)));
      at += length;
    }
    return `[${parts.join(', ')}].join('')`;
  },
  (text) => `${quoted([...text].reverse().join(''))}.split('').reverse().join('')`,
  (text) => '"' + [...text].map((c) => '\\x' + c.charCodeAt(0).toString(16).padStart(2, '0')).join('') + '"',
  (text) => `atob(${quoted(Buffer.from(text, 'latin1').toString('base64'))})`,
  (text) => `Buffer.from(${quoted(Buffer.from(text).toString('base64'))}, 'base64').toString()`,
  (text) => `Buffer.from(${quoted(Buffer.from(text).toString('hex'))}, 'hex').toString('utf8')`,
];

export function* nodes(node, parent = null, key = null) {
  if (!node || typeof node.type !== 'string') return;
  yield [node, parent, key];
  for (const [name, value] of Object.entries(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (child && typeof child === 'object' && child !== node) yield* nodes(child, node, name);
    }
  }
}

/** `text` is the file, `seed` anything that names it. */
export function fold({ acorn, MagicString }, text, seed, isModule) {
  const random = numbers(seed);
  const tree = acorn.parse(text, { ecmaVersion: 'latest', sourceType: isModule ? 'module' : 'script', allowHashBang: true, allowReturnOutsideFunction: true, allowAwaitOutsideFunction: true });
  const out = new MagicString(text);
  const inBrowser = /\b(window|navigator)\b/.test(text);
  const ways = inBrowser ? WAYS.slice(0, 6) : WAYS;
  const folded = (value) => ways[Math.floor(random() * ways.length)](value, random);
  const can = (value) => value.length > 1 && value.length < 400 && /^[\x20-\x7e]+$/.test(value);
  let loads = false;
  for (const [node, parent, key] of nodes(tree)) {
    if (node.type === 'Literal' && typeof node.value === 'string' && can(node.value)) {
      const fixed = parent.directive || /^(Import|Export)(?!Expression)/.test(parent.type) && key === 'source';
      if (fixed) continue;
      if (key === 'key' && !parent.computed) out.overwrite(node.start, node.end, `[${folded(node.value)}]`);
      else out.overwrite(node.start, node.end, folded(node.value));
    } else if (node.type === 'MemberExpression' && !node.computed && !node.optional && node.property.type === 'Identifier' && node.object.type !== 'Super') {
      if (random() < 0.6 && can(node.property.name)) {
        const dot = text.lastIndexOf('.', node.property.start);
        out.overwrite(dot, node.end, `[${folded(node.property.name)}]`);
      }
    } else if (node.type === 'CallExpression' && node.callee.type === 'Identifier' && node.callee.name === 'require') {
      loads = true;
      out.overwrite(node.callee.start, node.callee.end, 'load_');
    }
  }
  if (loads) {
    const after = text.startsWith('#!') ? text.indexOf('\n') + 1 : 0;
    out.appendLeft(after, 'const box_ = [require];\nconst load_ = box_[0];\n');
  }
  return out.toString();
}
