-- Sketches of code that was read here, to find near copies: the newest of each package that may pass,
-- and the newest of each that was refused for what its code does.
CREATE TABLE sketch (
    name TEXT NOT NULL,
    bad BIGINT NOT NULL,
    version TEXT NOT NULL,
    pieces BIGINT NOT NULL,
    least TEXT NOT NULL,
    why TEXT NOT NULL,
    PRIMARY KEY (name, bad)
);

-- Numbers of which two near copies have at least one in common.
CREATE TABLE sketch_band (
    band BIGINT NOT NULL,
    name TEXT NOT NULL,
    bad BIGINT NOT NULL,
    PRIMARY KEY (band, name, bad)
);
CREATE INDEX sketch_band_name ON sketch_band (name, bad);

-- Digests of files, and of all code of a release, that were the reason for a refusal.
CREATE TABLE bad_content (
    digest TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    path TEXT,
    why TEXT NOT NULL
);
