-- +goose Up
CREATE TABLE logs (
    id INTEGER PRIMARY KEY,
    origin TEXT NOT NULL UNIQUE,
    own INTEGER NOT NULL,
    size INTEGER NOT NULL,
    root BLOB NOT NULL,
    edge BLOB NOT NULL,
    checkpoint BLOB,
    pending BLOB,
    pending_size INTEGER NOT NULL,
    next INTEGER NOT NULL,
    end_size INTEGER,
    end_root BLOB
);
CREATE TABLE entries (
    log INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (log, idx)
);
CREATE TABLE hashes (
    log INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (log, idx)
) WITHOUT ROWID;
CREATE TABLE cosignatures (
    log INTEGER NOT NULL,
    by TEXT NOT NULL,
    size INTEGER NOT NULL,
    root BLOB NOT NULL,
    at INTEGER NOT NULL,
    lines BLOB NOT NULL,
    checkpoint BLOB,
    PRIMARY KEY (log, by, size)
);
CREATE TABLE outgoing (
    id BLOB PRIMARY KEY,
    line TEXT NOT NULL,
    format TEXT NOT NULL,
    precedence INTEGER NOT NULL,
    lent INTEGER NOT NULL,
    state INTEGER NOT NULL,
    body BLOB NOT NULL,
    request BLOB NOT NULL,
    approvals BLOB NOT NULL,
    until INTEGER,
    asked INTEGER NOT NULL,
    released INTEGER,
    ord INTEGER NOT NULL,
    provisional INTEGER NOT NULL,
    reason TEXT NOT NULL,
    next TEXT NOT NULL,
    refs BLOB NOT NULL,
    origin TEXT NOT NULL,
    idx INTEGER NOT NULL
);
CREATE INDEX outgoing_queue ON outgoing (line, state, lent DESC, ord);
CREATE INDEX outgoing_state ON outgoing (state, ord);
CREATE INDEX outgoing_until ON outgoing (until) WHERE until IS NOT NULL AND state IN (1, 2);
CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE messages (
    seq INTEGER PRIMARY KEY,
    log INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    id BLOB,
    format TEXT NOT NULL,
    precedence INTEGER NOT NULL,
    at INTEGER,
    plain BLOB,
    refs BLOB NOT NULL,
    provisional INTEGER NOT NULL,
    problem TEXT NOT NULL,
    field TEXT NOT NULL,
    UNIQUE (log, idx)
);
CREATE INDEX messages_id ON messages (id) WHERE id IS NOT NULL;
CREATE TABLE refs (
    target BLOB NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (target, seq)
) WITHOUT ROWID;
CREATE TABLE listed (
    log INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    size INTEGER NOT NULL,
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    idx INTEGER NOT NULL,
    PRIMARY KEY (log, seen, size)
) WITHOUT ROWID;
CREATE TABLE documents (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;
CREATE TABLE blobs (
    hash BLOB PRIMARY KEY,
    state INTEGER NOT NULL,
    body BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX blobs_state ON blobs (state);
CREATE TABLE evidence (
    number INTEGER PRIMARY KEY,
    body BLOB NOT NULL
);
CREATE TABLE audit (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    act TEXT NOT NULL,
    object TEXT NOT NULL,
    result TEXT NOT NULL,
    detail TEXT NOT NULL,
    hash BLOB NOT NULL
);
CREATE TABLE events (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    ref TEXT NOT NULL,
    text TEXT NOT NULL
);

-- +goose Down
DROP TABLE events;
DROP TABLE audit;
DROP TABLE evidence;
DROP TABLE blobs;
DROP TABLE documents;
DROP TABLE listed;
DROP TABLE refs;
DROP TABLE messages;
DROP TABLE counters;
DROP TABLE outgoing;
DROP TABLE cosignatures;
DROP TABLE hashes;
DROP TABLE entries;
DROP TABLE logs;
