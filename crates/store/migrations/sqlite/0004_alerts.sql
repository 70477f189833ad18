-- Alerts are made of their events alone, which are few: whom they freeze is known at every start.
CREATE INDEX events_of_alerts ON events (tenant, leaf_index)
    WHERE stream >= 'alert/' AND stream < 'alert0';
