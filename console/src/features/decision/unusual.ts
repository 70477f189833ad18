/** Up to three differences from usual, read from what policy was asked (its digest stands in the signed verdict). */
import { decision as texts } from '../../strings/decision';
import { isObject, type Json, type JsonObject } from '../../verify/canonical';

const MOST = 3;
const MANY_REQUESTS = 5;

/** What is not known counts as different. */
export function differences(read: Json): string[] {
  const input = isObject(read) ? read : {};
  const text = texts.unusual;
  const history = member(input, 'history');
  const found = [origin(input), device(input), offHours(input)];
  if (number(history.requests_1h) > MANY_REQUESTS) found.push(text.many_requests(number(history.requests_1h)));
  const refused = number(history.refused_30d ?? history.rejected_30d);
  if (refused > 0) found.push(text.refused_lately(refused));
  return found.filter((one) => one !== undefined).slice(0, MOST);
}

function origin(input: JsonObject): string | undefined {
  const signal = member(member(input, 'signals'), 'origin');
  if (signal.status !== 'known') return texts.unusual.unknown_origin;
  return member(signal, 'value').new === true ? texts.unusual.new_origin : undefined;
}

function device(input: JsonObject): string | undefined {
  const signal = member(member(input, 'signals'), 'device');
  if (signal.status !== 'known') return texts.unusual.unknown_device;
  return member(signal, 'value').managed === false ? texts.unusual.unmanaged_device : undefined;
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
