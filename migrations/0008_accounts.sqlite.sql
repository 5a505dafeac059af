-- Accounts were counted in lower case. What packages taught that an account with a capital published is forgotten;
-- the program counts it anew within the same transaction, from the lessons that have taught, so that nobody ever
-- sees a scope without its habits.
CREATE TABLE renamed AS
    SELECT DISTINCT name FROM lesson WHERE state = 'taught' AND
        CASE WHEN json_valid(record) THEN json_extract(record, '$.by.account') END
        <> CASE WHEN json_valid(record) THEN lower(json_extract(record, '$.by.account')) END;
DELETE FROM habit WHERE name IN (SELECT name FROM renamed);
DROP TABLE renamed;
