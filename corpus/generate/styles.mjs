// Reads jobs (JSON) from standard input and answers, for each, the files in every style that tools can give
// them. Run by `cargo dev corpus`, in the folder where the tools are installed. It runs none of the samples.

import { createRequire } from 'node:module';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, extname, join, relative, resolve } from 'node:path';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';
import { fold, nodes } from './fold.mjs';

const tools = createRequire(join(process.cwd(), 'x.js'));
const obfuscator = tools('javascript-obfuscator');
const esbuild = tools('esbuild');
const webpack = tools('webpack');
const acorn = tools('acorn');
const magic = tools('magic-string');
const MagicString = magic.default ?? magic;

const SEED = 20260615;
const CODE = ['.js', '.cjs', '.mjs'];

const OBFUSCATED = {
  'string-array': {
    stringArray: true, stringArrayThreshold: 1, stringArrayRotate: true, stringArrayShuffle: true,
    stringArrayIndexShift: true, stringArrayWrappersCount: 1, identifierNamesGenerator: 'hexadecimal',
  },
  encrypted: {
    stringArray: true, stringArrayThreshold: 1, stringArrayRotate: true, stringArrayShuffle: true,
    stringArrayEncoding: ['rc4', 'base64'], stringArrayWrappersCount: 2, stringArrayWrappersType: 'function',
    splitStrings: true, splitStringsChunkLength: 6, controlFlowFlattening: true, controlFlowFlatteningThreshold: 0.75,
    transformObjectKeys: true, numbersToExpressions: true, identifierNamesGenerator: 'mangled-shuffled',
  },
};

const isCode = (file) => file.text !== undefined && CODE.includes(extname(file.path));
const inBrowser = (text) => /\b(window|navigator)\b/.test(text);

function isModule(job, file) {
  const end = extname(file.path);
  return end === '.mjs' || (end === '.js' && (job.module || /^(await |import .* from|export )/m.test(file.text)));
}

/** Every file of code through `change`, the others as they are. */
function each(job, change) {
  return job.files.map((file) => (isCode(file) ? { ...file, text: change(file) } : file));
}

function obfuscate(job, style) {
  return each(job, (file) => {
    const [first, hash] = file.text.startsWith('#!') ? [file.text.slice(0, file.text.indexOf('\n') + 1), true] : ['', false];
    const text = hash ? file.text.slice(first.length) : file.text;
    const done = obfuscator.obfuscate(text, { ...OBFUSCATED[style], compact: true, seed: SEED, target: inBrowser(text) ? 'browser' : 'node' });
    return first + done.getObfuscatedCode();
  });
}

/** The files in a folder that nothing watches, for bundlers, which read from disk. */
function unpack(job) {
  const folder = mkdtempSync(join(tmpdir(), 'weir-corpus-'));
  for (const file of job.files) {
    if (file.text === undefined) continue;
    const path = join(folder, file.path);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, file.text);
  }
  // Where a sample asks for its own version.
  if (!existsSync(join(folder, 'package.json'))) writeFileSync(join(folder, 'package.json'), '{"version":"1.4.1"}');
  return folder;
}

/** The entry replaced by the bundle; what went into it left out; the rest minified. */
async function replaced(job, bundle, inputs) {
  const files = [];
  for (const file of job.files) {
    if (file.path === job.entry) files.push({ path: file.path, text: bundle });
    else if (!isCode(file)) {
      if (!inputs.has(file.path)) files.push(file);
    } else if (!inputs.has(file.path)) {
      files.push({ path: file.path, text: (await esbuild.transform(file.text, { minify: true })).code });
    }
  }
  return files;
}

async function bundle(job, folder) {
  const entry = job.files.find((file) => file.path === job.entry);
  const built = await esbuild.build({
    absWorkingDir: folder, entryPoints: [job.entry], bundle: true, minify: true, write: false, metafile: true,
    packages: 'external', platform: inBrowser(entry.text) ? 'browser' : 'node', format: isModule(job, entry) ? 'esm' : 'cjs', target: 'node20', logLevel: 'silent',
  });
  return replaced(job, built.outputFiles[0].text, new Set(Object.keys(built.metafile.inputs)));
}

/**
 * webpack gives every `require` it cannot foresee a module that only throws, and turns `require.resolve` into
 * a number: what it makes of such code does nothing any more. Whoever ships code that way tells webpack to
 * leave these alone, under the name webpack has for it.
 */
function unforeseen(text, isModule) {
  const tree = acorn.parse(text, { ecmaVersion: 'latest', sourceType: isModule ? 'module' : 'script', allowHashBang: true, allowReturnOutsideFunction: true, allowAwaitOutsideFunction: true });
  const out = new MagicString(text);
  const isRequire = (node) => node?.type === 'Identifier' && node.name === 'require';
  for (const [node] of nodes(tree)) {
    if (node.type !== 'CallExpression') continue;
    const { callee } = node;
    if (isRequire(callee) && node.arguments[0]?.type !== 'Literal') out.overwrite(callee.start, callee.end, '__non_webpack_require__');
    const resolves = callee.type === 'MemberExpression' && isRequire(callee.object) && callee.property.name === 'resolve';
    if (resolves) out.overwrite(callee.object.start, callee.object.end, '__non_webpack_require__');
  }
  return out.toString();
}

async function pack(job, folder) {
  for (const file of job.files.filter(isCode)) writeFileSync(join(folder, file.path), unforeseen(file.text, isModule(job, file)));
  const entry = job.files.find((file) => file.path === job.entry);
  const module = isModule(job, entry);
  const output = join(folder, 'out');
  const stats = await promisify(webpack)({
    mode: 'production', context: folder, entry: './' + job.entry, target: inBrowser(entry.text) ? 'web' : 'node20',
    devtool: false, performance: false, node: { __dirname: false, __filename: false },
    output: { path: output, filename: 'bundle.js', library: { type: module ? 'module' : 'commonjs2' }, module },
    experiments: { outputModule: module, topLevelAwait: true },
    externalsType: module ? 'module' : 'commonjs',
    externals: [({ request }, done) => (/^[./]/.test(request) || request.startsWith(folder) ? done() : done(null, request))],
  });
  if (stats.hasErrors()) throw new Error(stats.compilation.errors[0].message);
  const inputs = new Set([...stats.compilation.fileDependencies].map((path) => relative(folder, resolve(path))));
  const files = await replaced(job, readFileSync(join(output, 'bundle.js'), 'utf8'), inputs);
  // What is imported later lies in files of its own, which the bundle looks for beside itself.
  const beside = readdirSync(output, { recursive: true }).map(String).filter((name) => name !== 'bundle.js' && CODE.includes(extname(name)));
  const at = (name) => join(dirname(job.entry), name);
  return [...files, ...beside.sort().map((name) => ({ path: at(name), text: readFileSync(join(output, name), 'utf8') }))];
}

async function styles(job) {
  const entry = job.files.find((file) => file.path === job.entry);
  const answer = { variants: {}, impossible: {} };
  if (!job.files.some(isCode)) return answer;
  const attempt = async (style, make) => {
    try {
      answer.variants[style] = await make();
    } catch (error) {
      answer.impossible[style] = String(error.message).replaceAll(tmpdir(), '').replace(/weir-corpus-\w+/g, 'x');
    }
  };
  if (!job.twin) {
    const seed = (file) => job.id + file.path;
    await attempt('folded', async () => each(job, (file) => fold({ acorn, MagicString }, file.text, seed(file), isModule(job, file))));
    await attempt('string-array', async () => obfuscate(job, 'string-array'));
    await attempt('encrypted', async () => obfuscate(job, 'encrypted'));
  }
  if (isCode(entry)) {
    const folder = unpack(job);
    try {
      await attempt('esbuild', () => bundle(job, folder));
      await attempt('webpack', () => pack(job, folder));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  return answer;
}

let input = '';
for await (const part of process.stdin) input += part;
const answers = {};
for (const job of JSON.parse(input)) answers[job.id] = await styles(job);
process.stdout.write(JSON.stringify(answers));
