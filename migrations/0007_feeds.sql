-- Advisories come from several feeds, which may each have a copy of the same record. `digest` is that of the
-- record's text, so that only what has changed is written. A feed that is not `whole` also has records that its
-- source does not have.
CREATE TABLE advisory_feed (
    name TEXT NOT NULL PRIMARY KEY,
    source TEXT NOT NULL,
    whole BIGINT NOT NULL DEFAULT 1,
    read_ms BIGINT NOT NULL,
    etag TEXT,
    last_modified TEXT,
    skipped BIGINT NOT NULL,
    in_force BIGINT NOT NULL,
    withdrawn BIGINT NOT NULL
);

CREATE TABLE advisory_record (
    feed TEXT NOT NULL,
    id TEXT NOT NULL,
    modified_ms BIGINT NOT NULL,
    withdrawn BIGINT NOT NULL,
    digest BIGINT NOT NULL,
    names TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (feed, id)
);

-- What was imported before feeds had names is one feed of its own.
INSERT INTO advisory_feed (name, source, read_ms, skipped, in_force, withdrawn)
SELECT 'earlier', '', 0, 0, COALESCE(SUM(1 - withdrawn), 0), COALESCE(SUM(withdrawn), 0)
FROM advisory HAVING COUNT(*) > 0;

INSERT INTO advisory_record (feed, id, modified_ms, withdrawn, digest, names, record)
SELECT 'earlier', id, modified_ms, withdrawn, 0, names, record FROM advisory;

INSERT INTO counter (name, value)
SELECT 'advisory_records', MIN(1) FROM advisory HAVING COUNT(*) > 0;

UPDATE counter SET value = value + 1 WHERE name = 'advisories';

DROP TABLE advisory;
