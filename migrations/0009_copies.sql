-- Of what was refused or listed, each version is known, and not only the one that came last: samples of one name are
-- often different code. `copy` is empty for a package that may pass, of which the newest is enough; else it is the
-- version and how its values begin. `since_ms` is when it came out, where that is known: what was there long before
-- is no copy of it.
CREATE TABLE sketch_of_copy (
    name TEXT NOT NULL,
    bad BIGINT NOT NULL,
    copy TEXT NOT NULL,
    version TEXT NOT NULL,
    pieces BIGINT NOT NULL,
    least TEXT NOT NULL,
    why TEXT NOT NULL,
    since_ms BIGINT,
    PRIMARY KEY (name, bad, copy)
);
INSERT INTO sketch_of_copy (name, bad, copy, version, pieces, least, why)
    SELECT name, bad, CASE bad WHEN 0 THEN '' ELSE version || ' ' || substr(least, 1, 32) END, version, pieces, least,
        why FROM sketch;
CREATE TABLE band_of_copy (
    band BIGINT NOT NULL,
    name TEXT NOT NULL,
    bad BIGINT NOT NULL,
    copy TEXT NOT NULL,
    PRIMARY KEY (band, name, bad, copy)
);
INSERT INTO band_of_copy (band, name, bad, copy)
    SELECT b.band, b.name, b.bad, s.copy FROM sketch_band b JOIN sketch_of_copy s
        ON s.name = b.name AND s.bad = b.bad;
DROP TABLE sketch_band;
DROP TABLE sketch;
ALTER TABLE sketch_of_copy RENAME TO sketch;
ALTER TABLE band_of_copy RENAME TO sketch_band;
CREATE INDEX sketch_band_name ON sketch_band (name, bad, copy);

-- When the release came out that was refused for it; nothing for what was listed, and for what was learned before.
ALTER TABLE bad_content ADD COLUMN since_ms BIGINT;
