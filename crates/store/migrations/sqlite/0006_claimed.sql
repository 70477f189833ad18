-- Claims of whoever crashed are released at every start, without a look at all timers that wait.
CREATE INDEX effects_claimed ON effects (tenant) WHERE lease_until IS NOT NULL;
