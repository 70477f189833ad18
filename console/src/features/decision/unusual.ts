/** Up to three differences from usual, read from what policy was asked (its digest stands in the signed verdict). */
import { decision as texts } from '../../strings/decision';
import { duration } from '../../ui/format';
import { isObject, type Json, type JsonObject } from '../../verify/canonical';

const MOST = 3;
/** From so many requests within an hour on they are many. */
const MANY_REQUESTS = 5;
/** From so many grants on it can be told which lengths are usual; one is long beyond so many times the longest. */
const USUAL_FROM = 3;
const LONG_TIMES = 2;

/** Those that say most come first; what is not known counts as different, after all that is. */
export function differences(read: Json, subject: string): string[] {
  const input = isObject(read) ? read : {};
  const signals = member(input, 'signals');
  const history = member(input, 'history');
  const known = [origin(signals), refused(history), granted(history, subject), long(input, history), device(signals), offHours(input), many(history)];
  return [...known, ...unknown(signals)].filter((one) => one !== undefined).slice(0, MOST);
}

function origin(signals: JsonObject): string | undefined {
  return member(member(signals, 'origin'), 'value').new === true ? texts.unusual.new_origin : undefined;
}

function device(signals: JsonObject): string | undefined {
  return member(member(signals, 'device'), 'value').managed === false ? texts.unusual.unmanaged_device : undefined;
}

function unknown(signals: JsonObject): (string | undefined)[] {
  const of = (name: string, said: string) => (member(signals, name).status === 'known' ? undefined : said);
  return [of('origin', texts.unusual.unknown_origin), of('device', texts.unusual.unknown_device)];
}

function refused(history: JsonObject): string | undefined {
  const count = number(history.denied_24h) + number(history.rejected_24h) + number(history.revoked_24h);
  return count > 0 ? texts.unusual.refused_lately(count) : undefined;
}

/** Nothing is said of an input that was recorded before grants were counted. */
function granted(history: JsonObject, subject: string): string | undefined {
  if (history.granted_same_90d === 0) return texts.unusual.first_time;
  return history.granted_subject_90d === 0 ? texts.unusual.new_subject(subject) : undefined;
}

function long(input: JsonObject, history: JsonObject): string | undefined {
  const asked = number(member(member(input, 'request'), 'clocks').grant_seconds);
  const [grants, longest] = [number(history.granted_same_90d), number(history.longest_grant_seconds_90d)];
  if (grants < USUAL_FROM || asked <= longest * LONG_TIMES) return undefined;
  return texts.unusual.long_grant(duration(asked), grants, duration(longest));
}

function many(history: JsonObject): string | undefined {
  const count = number(history.requests_1h);
  return count > MANY_REQUESTS ? texts.unusual.many_requests(count) : undefined;
}

function offHours(input: JsonObject): string | undefined {
  const calendar = member(input, 'calendar');
  if (calendar.working_hours !== false) return undefined;
  return texts.unusual.off_hours(String(calendar.weekday), String(calendar.hour), String(calendar.timezone));
}

function member(value: JsonObject, name: string): JsonObject {
  const found = value[name];
  return isObject(found) ? found : {};
}

function number(value: Json | undefined): number {
  return typeof value === 'number' ? value : 0;
}
