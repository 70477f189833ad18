/** What a row says of a leaf, from its content. */
import type { Schema } from '../../client/client';
import { audit } from '../../strings/audit';
import { isObject, parseJson, type JsonObject } from '../../verify/canonical';

export interface Summary {
  title: string;
  /** A word on what it was, such as a decision or a role. */
  detail: string | undefined;
  /** Whoever did it, or whom it is about; an id. */
  person: string | undefined;
}

type Entry = Pick<Schema<'AuditEntry'>, 'kind' | 'stream' | 'body'>;

export function summarise({ kind, stream, body }: Entry): Summary {
  const content: JsonObject = body;
  const document = documentIn(content);
  const person = textOf(content.person) ?? textOf(content.requester) ?? textOf(document?.approver);
  return { title: audit.kinds[kind] ?? kind, detail: detailOf(kind, content, document), person: person ?? personOf(stream) };
}

function detailOf(kind: string, body: JsonObject, document: JsonObject | undefined): string | undefined {
  switch (kind) {
    case 'request.submitted':
    case 'request.revised':
      return textOf(body.entitlement);
    case 'request.judged':
      return textOf(body.outcome)?.replaceAll('_', ' ');
    case 'decision.recorded':
      return textOf(document?.decision);
    case 'decision.refused':
      return textOf(body.code);
    case 'role.granted':
    case 'role.removed':
      return textOf(body.role);
    case 'attribute.assigned':
      return `${textOf(body.name) ?? ''} = ${textOf(body.value) ?? ''}`;
    case 'alert.raised':
      return textOf(body.reason)?.replaceAll('_', ' ');
    case 'request.lapsed':
      return textOf(body.clock)?.replaceAll('_', ' ');
    default:
      return undefined;
  }
}

/** The signed document in it, when it can be read. */
function documentIn(body: JsonObject): JsonObject | undefined {
  if (typeof body.document !== 'string') return undefined;
  try {
    const document = parseJson(body.document);
    return isObject(document) ? document : undefined;
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function personOf(stream: string): string | undefined {
  const [noun, id] = stream.split('/');
  return noun === 'identity' ? id : undefined;
}
