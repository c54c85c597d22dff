-- +goose Up
CREATE TABLE logbook (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    text BLOB NOT NULL,
    hash BLOB NOT NULL
);
CREATE INDEX logbook_at ON logbook (at);
CREATE INDEX logbook_kind ON logbook (kind, number);
CREATE TABLE opened (
    id BLOB PRIMARY KEY,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL
) WITHOUT ROWID;

-- +goose Down
DROP TABLE opened;
DROP TABLE logbook;
