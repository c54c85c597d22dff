-- +goose Up
-- The words of each message under its sequence number, and nothing else: the
-- words are split and folded before they come here, so that both stores find the
-- same. No content, no positions, no sizes: what is shown is read from messages.
CREATE VIRTUAL TABLE search USING fts5(words, content='', columnsize=0, detail=none, tokenize="ascii tokenchars '.:/@_-+'");

-- +goose Down
DELETE FROM counters WHERE name IN ('indexed', 'index generation');
DROP TABLE search;
