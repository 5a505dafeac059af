-- What releases teach about those who publish: each once, with whether it has taught. A release that
-- was refused never does, and one that is young does not yet.
CREATE TABLE lesson (
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    published_ms BIGINT NOT NULL,
    state TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (name, version)
);
CREATE INDEX lesson_state ON lesson (state, published_ms);

-- What those that taught come to, by owner (a scope, an account, the package itself) and package.
CREATE TABLE habit (
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (owner, name)
);
CREATE INDEX habit_name ON habit (name);

-- Versions that a packument named when it was fetched and does not name any more.
CREATE TABLE vanished (
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    upstream TEXT NOT NULL,
    published_ms BIGINT,
    noticed_ms BIGINT NOT NULL,
    whole BIGINT NOT NULL,
    PRIMARY KEY (name, version, upstream)
);
