-- To what a request is done and how long its grant may be: what is usual for a requester is counted by them.
ALTER TABLE requests ADD COLUMN subject TEXT NOT NULL DEFAULT '';
ALTER TABLE requests ADD COLUMN grant_seconds INTEGER NOT NULL DEFAULT 0;
UPDATE requests SET
    subject = coalesce(json_extract(summary, '$.subject'), ''),
    grant_seconds = coalesce(json_extract(summary, '$.grant_seconds'), 0),
    summary = json_remove(summary, '$.subject', '$.grant_seconds');

DROP INDEX requests_of_requester_by_time;
CREATE INDEX requests_of_requester_by_time
    ON requests (tenant, requester, created_at, state, entitlement, subject, grant_seconds);
