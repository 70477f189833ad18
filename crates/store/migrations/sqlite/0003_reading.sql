-- What is read often, and must not take longer when there is more of it.

-- People are made of the identity events alone, which are few.
CREATE INDEX events_of_identity ON events (tenant, leaf_index)
    WHERE stream >= 'identity/' AND stream < 'identity0';

-- Counts of the past, of one requester, without looking at the rows.
CREATE INDEX requests_of_requester_by_time ON requests (tenant, requester, created_at, state, entitlement);
CREATE INDEX requests_of_requester_by_state ON requests (tenant, requester, state, id);
DROP INDEX requests_by_creation;
