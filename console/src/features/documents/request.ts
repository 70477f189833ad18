/** The request document: exactly what the requester signed and what an approver approves. */
import type { Schema } from '../../client/client';
import type { Json, JsonObject } from '../../verify/canonical';
import type { Findings } from './findings';
import { readDocument, type SignedDocument } from './read';
import { count, list, object, optional, text } from './shape';

/** A file by its content. */
export interface ArtifactReference {
  name: string;
  media_type: string;
  size: number;
  sha256: string;
}

/** The members of a request document, as they were read from the signed text. */
export interface RequestContent {
  id: string;
  revision: number;
  log_origin: string;
  entitlement: { name: string; sha256: string };
  requester: string;
  beneficiary: { person: string; public_key: string | undefined };
  parameters: JsonObject;
  artifacts: ArtifactReference[];
  undo: string[];
  clocks: { grant_seconds: number; not_before: string | undefined };
  created_at: string;
  ticket: string | undefined;
  /** Digests of salted disclosures. */
  concealed: string[];
}

export interface ReadRequest {
  document: SignedDocument;
  content: RequestContent;
}

const NEEDED = ['type', 'log_origin', 'id', 'revision', 'entitlement', 'requester', 'beneficiary', 'parameters', 'artifacts', 'undo', 'clocks', 'created_at'];

/** Reads the document, and holds it to what the server says beside it. `id` is the one in the address. */
export async function examineRequest(findings: Findings, view: Schema<'RequestView'>, id: string, logOrigin: string): Promise<ReadRequest> {
  const document = await readDocument('request', view.document);
  const content = readRequest(findings, document.content);
  findings.same('log', content.log_origin, logOrigin);
  findings.same('request', content.id, id);
  findings.same('request', content.id, view.id);
  findings.same('revision', content.revision, view.revision);
  findings.same('request digest', document.sha256, view.request_sha256);
  findings.same('requester', content.requester, view.requester.person);
  findings.same('beneficiary', content.beneficiary.person, view.beneficiary.person);
  findings.same('entitlement', content.entitlement.name, view.entitlement);
  return { document, content };
}

/** @throws Error when a member is absent or of another type; one that is not known is a finding. */
export function readRequest(findings: Findings, members: JsonObject): RequestContent {
  findings.members('request document', members, NEEDED, ['ticket', '_sd']);
  const entitlement = findings.members('entitlement', members.entitlement, ['name', 'sha256']);
  const beneficiary = findings.members('beneficiary', members.beneficiary, ['person'], ['public_key']);
  const clocks = findings.members('clocks', members.clocks, ['grant_seconds'], ['not_before']);
  return {
    id: text('id', members.id),
    revision: count('revision', members.revision),
    log_origin: text('log_origin', members.log_origin),
    entitlement: { name: text('entitlement', entitlement.name), sha256: text('entitlement', entitlement.sha256) },
    requester: text('requester', members.requester),
    beneficiary: {
      person: text('beneficiary', beneficiary.person),
      public_key: optional(beneficiary.public_key, (value) => text('public key', value)),
    },
    parameters: object('parameters', members.parameters),
    artifacts: list('artifacts', members.artifacts, (_, item) => readReference(findings, item)),
    undo: list('undo', members.undo, text),
    clocks: {
      grant_seconds: count('grant_seconds', clocks.grant_seconds),
      not_before: optional(clocks.not_before, (value) => text('not_before', value)),
    },
    created_at: text('created_at', members.created_at),
    ticket: optional(members.ticket, (value) => text('ticket', value)),
    concealed: optional(members._sd, (value) => list('_sd', value, text)) ?? [],
  };
}

function readReference(findings: Findings, item: Json): ArtifactReference {
  const members = findings.members('artifact', item, ['name', 'media_type', 'size', 'sha256']);
  return {
    name: text('artifact', members.name),
    media_type: text('artifact', members.media_type),
    size: count('artifact', members.size),
    sha256: text('artifact', members.sha256),
  };
}
