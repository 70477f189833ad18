/** The corpus that `make test` writes: bundles, good and forged, some with a newer log, each with what `chancery verify` says of it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseStrict } from '../../src/verify/canonical';
import { readCertificate, type CertificateFacts, type CertificateReader } from '../../src/verify/certificate';
import { sha256Hex } from '../../src/verify/digest';
import { moment } from '../../src/verify/moment';
import type { NewerLog } from '../../src/verify/newer';
import { list, optional, record, text } from '../../src/verify/shape';

/** What `chancery verify` said. */
export interface Verdict {
  /** Which kind of certificates the bundle holds, if any. */
  certificates: 'ssh' | 'stand-in';
  failed: string[];
  checks: Record<string, 'pass' | 'fail' | 'skipped'>;
  /** Index, stream, kind and time of what came after, by the newer log. */
  later: [number, string, string, string][];
  not_proved: string[];
}

export interface Case {
  name: string;
  zip: Uint8Array;
  trust: Map<string, Uint8Array>;
  /** The newer log that it is held against, if there is one. */
  log: NewerLog | undefined;
  verdict: Verdict;
}

export const CORPUS = process.env.CHANCERY_CORPUS ?? join(import.meta.dirname, '../../../target/verify-corpus');

export function readCorpus(): Case[] {
  return readdirSync(CORPUS)
    .sort()
    .map((name) => {
      const folder = join(CORPUS, name);
      return {
        name,
        zip: readFileSync(join(folder, 'bundle.zip')),
        trust: readFolder(join(folder, 'trust')),
        log: readLog(join(folder, 'log')),
        verdict: JSON.parse(readFileSync(join(folder, 'verdict.json'), 'utf8')) as Verdict,
      };
    });
}

function readLog(folder: string): NewerLog | undefined {
  if (!existsSync(folder)) return undefined;
  const files = readFolder(folder);
  return { checkpoint: files.get('checkpoint') ?? new Uint8Array(), file: (path) => Promise.resolve(files.get(path)) };
}

export function readFolder(folder: string): Map<string, Uint8Array> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath, entry.name));
  return new Map(paths.map((path) => [relative(folder, path), readFileSync(path)]));
}

const facts = record<CertificateFacts>({
  line: text,
  to_be_signed_sha256: text,
  serial: text,
  key_id: text,
  public_key: text,
  principals: list(text),
  valid_after: moment,
  valid_before: moment,
  source_addresses: list(text),
  force_command: optional(text),
  extensions: list(text),
  authority: text,
});

/** Reads what stands in for certificates in scenarios (crates/testkit/src/scenario/export.rs). */
const standIn: CertificateReader = async (line) => {
  const said = facts(parseStrict(line));
  return { ...said, line, to_be_signed_sha256: await sha256Hex(line) };
};

/** Reads the certificates of this case. */
export function readerOf({ verdict }: Case): CertificateReader {
  return verdict.certificates === 'ssh' ? readCertificate : standIn;
}
