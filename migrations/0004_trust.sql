-- Documents beside packuments, as the upstream sent them: the registry's keys, attestations of releases.
CREATE TABLE document (
    upstream TEXT NOT NULL,
    path TEXT NOT NULL,
    body TEXT NOT NULL,
    fetched_at_ms BIGINT NOT NULL,
    PRIMARY KEY (upstream, path)
);

-- What the registry says of a release to verify it by, what came of it, and what it was verified under.
CREATE TABLE trust (
    upstream TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (upstream, name, version)
);
