-- What is derived from the journal (requests), what is still to be done (effects), what is short-lived (tickets).

CREATE TABLE requests (
    tenant       TEXT    NOT NULL,
    id           TEXT    NOT NULL,
    version      INTEGER NOT NULL CHECK (version >= 1),
    state        TEXT    NOT NULL,
    revision     INTEGER NOT NULL,
    requester    TEXT    NOT NULL,
    beneficiary  TEXT    NOT NULL,
    participants TEXT    NOT NULL,
    entitlement  TEXT    NOT NULL,
    risk_score   INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    due_at       INTEGER,
    summary      TEXT    NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;

CREATE INDEX requests_by_state ON requests (tenant, state, id);
CREATE INDEX requests_by_requester ON requests (tenant, requester, id);
CREATE INDEX requests_by_entitlement ON requests (tenant, entitlement, id);
CREATE INDEX requests_by_creation ON requests (tenant, created_at);

-- Everybody who has a part in a request: requester, beneficiary, and who else took part.
CREATE TABLE request_people (
    tenant  TEXT NOT NULL,
    person  TEXT NOT NULL,
    request TEXT NOT NULL,
    PRIMARY KEY (tenant, person, request)
) STRICT, WITHOUT ROWID;

CREATE INDEX request_people_by_request ON request_people (tenant, request);

-- Finished effects stay: their key is what makes a repeat a no-op.
CREATE TABLE effects (
    tenant      TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('waiting', 'done', 'cancelled')),
    due_at      INTEGER NOT NULL,
    payload     TEXT    NOT NULL,
    attempt     INTEGER NOT NULL DEFAULT 0,
    failures    INTEGER NOT NULL DEFAULT 0,
    fence       INTEGER NOT NULL DEFAULT 0,
    lease_until INTEGER,
    last_error  TEXT,
    PRIMARY KEY (tenant, key)
) STRICT;

CREATE INDEX effects_due ON effects (tenant, due_at) WHERE state = 'waiting';

CREATE TABLE tickets (
    tenant     TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    value      TEXT    NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, kind, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX tickets_by_expiry ON tickets (tenant, expires_at);
