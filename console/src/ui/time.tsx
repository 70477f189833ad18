import { common } from '../strings/common';
import { useClock } from './clock';
import { moment, shortDuration, utc } from './format';

const DAY = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
const YEAR = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const TODAY = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** A moment of the log (RFC 3339 UTC) in local time, with UTC on hover. A text that is no moment is shown as it is. */
export function Moment({ value }: { value: string }) {
  const at = moment(value);
  if (Number.isNaN(at)) return <span>{value}</span>;
  return (
    <time dateTime={value} title={utc(at)}>
      {localTime(at)}
    </time>
  );
}

/** How long until then; live. */
export function Remaining({ until }: { until: string }) {
  const text = useClock((now) => remaining(moment(until), now));
  return (
    <time dateTime={until} title={title(until)}>
      {text}
    </time>
  );
}

/** How long ago or ahead; live. */
export function Relative({ value }: { value: string }) {
  const text = useClock((now) => relative(moment(value), now));
  return (
    <time dateTime={value} title={title(value)}>
      {text}
    </time>
  );
}

/** Whether the moment is past; live. A text that is no moment counts as past. */
export function usePast(until: string | null | undefined): boolean {
  return useClock((now) => !(moment(until) > now));
}

export function remaining(until: number, now: number): string {
  const seconds = Math.floor((until - now) / 1000);
  return seconds > 0 ? common.time.left(shortDuration(seconds)) : common.time.over;
}

const NOW_SECONDS = 5;

export function relative(at: number, now: number): string {
  const seconds = Math.round((now - at) / 1000);
  if (Math.abs(seconds) < NOW_SECONDS) return common.time.now;
  const text = shortDuration(coarse(Math.abs(seconds)));
  return seconds > 0 ? common.time.ago(text) : common.time.ahead(text);
}

/** One unit is enough for what was long ago. */
function coarse(seconds: number): number {
  if (seconds >= 86_400) return seconds - (seconds % 86_400);
  if (seconds >= 3_600) return seconds - (seconds % 3_600);
  return seconds >= 60 ? seconds - (seconds % 60) : seconds;
}

function localTime(at: number): string {
  const date = new Date(at);
  const today = new Date();
  if (date.toDateString() === today.toDateString()) return TODAY.format(date);
  return date.getFullYear() === today.getFullYear() ? DAY.format(date) : YEAR.format(date);
}

function title(value: string): string {
  const at = moment(value);
  return Number.isNaN(at) ? value : `${YEAR.format(new Date(at))} · ${utc(at)}`;
}
