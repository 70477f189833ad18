# METADATA
# title: Calendars
# description: Time, where the organisation works.
package chancery.lib.calendars

# METADATA
# description: The organisation's calendar does not count this moment as working time.
off_hours if not input.calendar.working_hours

# METADATA
# description: Saturday or Sunday.
weekend if input.calendar.weekday in {"saturday", "sunday"}
