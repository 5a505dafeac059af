-- One code path for SQLite and PostgreSQL: only BIGINT, TEXT and BYTEA; times are milliseconds since
-- 1970-01-01 UTC, truth values are 0 and 1, JSON is TEXT, ids are made by weir.

-- What a worker saw inside a tarball. Depends on the bytes and on the analyser alone.
CREATE TABLE contents (
    integrity TEXT NOT NULL,
    analyser BIGINT NOT NULL,
    json TEXT NOT NULL,
    PRIMARY KEY (integrity, analyser)
);

-- Tarballs are named by sha512. This finds them by any other digest that a packument may give.
CREATE TABLE blob_alias (
    integrity TEXT NOT NULL PRIMARY KEY,
    sha512 TEXT NOT NULL
);

-- When a version was first seen here, for upstreams that do not say when it was published.
CREATE TABLE first_seen (
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (name, version)
);

-- What was decided and what was served to whom. Append-only.
CREATE TABLE ledger (
    seq BIGINT NOT NULL PRIMARY KEY,
    at_ms BIGINT NOT NULL,
    event TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    integrity TEXT,
    client TEXT NOT NULL,
    action TEXT NOT NULL,
    block_id TEXT,
    note TEXT
);
CREATE INDEX ledger_release ON ledger (name, version);
CREATE INDEX ledger_time ON ledger (at_ms);
CREATE INDEX ledger_block ON ledger (block_id);

-- Bytes this gateway has handed out. Written together with the ledger entry that says so.
CREATE TABLE served (
    integrity TEXT NOT NULL PRIMARY KEY,
    first_at_ms BIGINT NOT NULL
);

-- The full explanation behind a refusal's id.
CREATE TABLE refusal (
    block_id TEXT NOT NULL PRIMARY KEY,
    assessment TEXT NOT NULL,
    decision TEXT NOT NULL,
    first_at_ms BIGINT NOT NULL,
    last_at_ms BIGINT NOT NULL
);

-- OSV records, reduced to what is needed. `names` holds the npm packages concerned, one per line.
CREATE TABLE advisory (
    id TEXT NOT NULL PRIMARY KEY,
    modified_ms BIGINT NOT NULL,
    withdrawn BIGINT NOT NULL,
    names TEXT NOT NULL,
    record TEXT NOT NULL
);

-- Single numbers, such as the generation of the advisories.
CREATE TABLE counter (
    name TEXT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
