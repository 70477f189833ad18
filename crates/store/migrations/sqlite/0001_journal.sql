-- The journal, which is the log: what was signed, and what stands beside it. Keys begin with the tenant.

-- The newest checkpoint of each log. One row: the history is in whatever mirrors and witnesses hold.
CREATE TABLE log_head (
    tenant      TEXT    NOT NULL PRIMARY KEY,
    size        INTEGER NOT NULL CHECK (size >= 0),
    note        BLOB    NOT NULL,
    newest_time INTEGER
) STRICT;

-- One row for each leaf of the tree. Entry bundles are cut from these rows, so no leaf is stored twice.
CREATE TABLE leaves (
    tenant     TEXT    NOT NULL,
    leaf_index INTEGER NOT NULL CHECK (leaf_index >= 0),
    bytes      BLOB    NOT NULL CHECK (length(bytes) <= 4096),
    PRIMARY KEY (tenant, leaf_index)
) STRICT;

CREATE TRIGGER leaves_never_change BEFORE UPDATE ON leaves
BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;

CREATE TRIGGER leaves_never_go BEFORE DELETE ON leaves
BEGIN SELECT RAISE(ABORT, 'the log only grows'); END;

-- Hash tiles, each at its greatest width; a narrower version is its beginning.
CREATE TABLE tiles (
    tenant TEXT    NOT NULL,
    level  INTEGER NOT NULL CHECK (level BETWEEN 0 AND 7),
    number INTEGER NOT NULL CHECK (number >= 0),
    hashes BLOB    NOT NULL CHECK (length(hashes) % 32 = 0 AND length(hashes) BETWEEN 32 AND 8192),
    PRIMARY KEY (tenant, level, number)
) STRICT;

-- The newest event of each stream: its version, and the RFC 6962 hash of its leaf.
CREATE TABLE streams (
    tenant  TEXT    NOT NULL,
    stream  TEXT    NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    head    BLOB    NOT NULL CHECK (length(head) = 32),
    PRIMARY KEY (tenant, stream)
) STRICT, WITHOUT ROWID;

-- What a leaf says, to find it by, and the private values that its commitments stand for (JSON, redactable).
CREATE TABLE events (
    tenant      TEXT    NOT NULL,
    leaf_index  INTEGER NOT NULL,
    stream      TEXT    NOT NULL,
    version     INTEGER NOT NULL CHECK (version >= 1),
    kind        TEXT    NOT NULL,
    recorded_at INTEGER NOT NULL,
    private     TEXT,
    PRIMARY KEY (tenant, leaf_index),
    UNIQUE (tenant, stream, version),
    FOREIGN KEY (tenant, leaf_index) REFERENCES leaves (tenant, leaf_index)
) STRICT;

CREATE TRIGGER events_never_change BEFORE UPDATE OF tenant, leaf_index, stream, version, kind, recorded_at ON events
BEGIN SELECT RAISE(ABORT, 'events never change'); END;

CREATE TRIGGER events_never_go BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events never go'); END;

-- The DSSE envelope behind an attestation's leaf, which follows its event's leaf.
CREATE TABLE attestations (
    tenant      TEXT    NOT NULL,
    event_index INTEGER NOT NULL,
    leaf_index  INTEGER NOT NULL,
    envelope    BLOB    NOT NULL,
    PRIMARY KEY (tenant, event_index),
    UNIQUE (tenant, leaf_index),
    FOREIGN KEY (tenant, event_index) REFERENCES events (tenant, leaf_index),
    FOREIGN KEY (tenant, leaf_index) REFERENCES leaves (tenant, leaf_index)
) STRICT;

-- Content-addressed bytes: request documents, artifacts, policy bundles, inputs.
CREATE TABLE documents (
    tenant     TEXT NOT NULL,
    sha256     BLOB NOT NULL CHECK (length(sha256) = 32),
    media_type TEXT NOT NULL,
    bytes      BLOB NOT NULL,
    PRIMARY KEY (tenant, sha256)
) STRICT;
