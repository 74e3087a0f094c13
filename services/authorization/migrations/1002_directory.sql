-- The directory of organizations, of all regions.
-- Retention: for ever. The id of a deleted organization is never used again.
CREATE TABLE listed_organization (
    organization uuid PRIMARY KEY,
    epoch        bigint NOT NULL,
    revision     bigint NOT NULL,
    deleted      boolean NOT NULL
);

-- Only accepted events are remembered: a refused one is judged again when it is sent again.
-- Retention: 40 days, longer than the topics keep events, by a background task.
DELETE FROM entity_event WHERE rejected IS NOT NULL;
ALTER TABLE entity_event DROP COLUMN rejected;
