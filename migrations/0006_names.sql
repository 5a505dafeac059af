-- Names that were asked for while the upstream had no such package, and when for the first time.
CREATE TABLE missed (
    name TEXT NOT NULL,
    upstream TEXT NOT NULL,
    first_at_ms BIGINT NOT NULL,
    PRIMARY KEY (name, upstream)
);

CREATE INDEX missed_by_time ON missed (first_at_ms);

-- Packages that were served and depend on one that is not widely used, and who owns them.
CREATE TABLE dependent (
    name TEXT NOT NULL,
    owner TEXT NOT NULL,
    dependent TEXT NOT NULL,
    PRIMARY KEY (name, owner)
);
