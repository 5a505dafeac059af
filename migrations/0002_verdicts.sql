-- What weir made of a release, under what it was decided (policy, advisories, analyser). One row
-- per release: a verdict of another generation replaces it.
CREATE TABLE verdict (
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    generation TEXT NOT NULL,
    json TEXT NOT NULL,
    PRIMARY KEY (name, version)
);
