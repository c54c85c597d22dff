-- +goose Up
-- What stands in the index (fts5), word by word: it takes no space, and lets the
-- index be compared with the record.
CREATE VIRTUAL TABLE search_words USING fts5vocab(search, instance);

-- +goose Down
DROP TABLE search_words;
