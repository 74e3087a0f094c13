-- Retention: 40 days, longer than the topics keep events, by a background task. Nobody waits for an older event.
ALTER TABLE applied_event ADD COLUMN applied_at timestamptz NOT NULL DEFAULT now();
CREATE INDEX applied_event_age ON applied_event (applied_at);
