/**
 * Verification of an evidence bundle, offline, from bytes: every check by name, all that fail, and what is not proved.
 * The same checks as `chancery verify`, with the same names and outcomes, but for evaluating the policy again.
 */

import { askedAgain, unknownObligations } from './again';
import { attestationProblems } from './attestations';
import { readCertificate, type CertificateFacts, type CertificateReader } from './certificate';
import { Runner, type Check } from './checks';
import { approvalTime } from './clocks';
import { unpack, type Files } from './container';
import { HARDWARE_PASSKEY } from './count';
import { decisionSubject, examine, lastCounted, quorum, type Verified } from './decisions';
import { disclosures } from './disclosures';
import { entitlementData, parseEntitlement, type Entitlement } from './entitlement';
import { registrationProblems, signerProblems } from './hardware';
import { isObject } from './canonical';
import type { Seating } from './events';
import { knowsEd25519 } from './keys';
import { announcementProblems, hasCredentials, readCertificates, termsOf } from './lease';
import { requestPhase, streamLifecycle, type Case } from './lifecycle';
import type { Versions } from './inForce';
import type { Lineage } from './lineage';
import { floorProblems, inForce, notProved, trustProblems, trustRoot, type Witnessed } from './limits';
import { checkpointSignature, leafEncoding, leafInclusion, logTime, streamContinuity, type Contents, type Signed, type Streams } from './log';
import { changedFiles, readManifest, type Manifest } from './manifest';
import { identityChain, recoveries, type Directories } from './people';
import { engineProblems, policyChain } from './policyChain';
import { checkPossession, checkRequester, namesKey, requestDigest, type Asking } from './requester';
import { reason } from './shape';
import { RecoveryRefusal } from './signer';
import { Story } from './story';
import { newerLog, type LaterEvent, type NewerLog } from './newer';
import type { VerifierKey } from './note';
import { checkPolicyDigest, verdictDigest, type Verdict } from './verdicts';
import { accept } from './witness';
import { YamlUnreadable } from './yaml';

/** Why the verdict is not evaluated again here. */
export const NO_POLICY_ENGINE =
  'evaluating the rules again needs the policy engine, which no browser has: `chancery verify` does it, from the same files';

/** Why nothing can be said where WebCrypto has no Ed25519. */
export const NO_ED25519 = 'this browser cannot check Ed25519 signatures: use a current one, or `chancery verify`';

export interface Options {
  /** Now, in seconds since 1970, to say whether the trust directory has ended. */
  now?: number;
  /** A newer log, to see what came after the bundle, and that nothing was left out of it. */
  newerLog?: NewerLog | undefined;
  /** Reads certificates; those of OpenSSH when not given. */
  certificates?: CertificateReader;
}

/** Everything that verification found. */
export interface Verification {
  /** Every check, in order. */
  checks: Check[];
  /** Names of the checks that failed. */
  failed: string[];
  /** Whether no check failed. What was not checked here is not proved. */
  passed: boolean;
  /** What nothing here proves. */
  notProved: string[];
  /** Events of the bundle's streams that came after it, when a newer log was given. */
  later: LaterEvent[];
  /** What was verified, for people; believable only when no check failed. */
  story: Story;
}

/** Verifies a zip against what a trust directory says, version by version. Never throws: what breaks, fails. */
export async function verifyZip(zip: Uint8Array, lineage: Lineage, options: Options = {}): Promise<Verification> {
  const run = new Runner();
  const examination = new Examination(run, lineage, options);
  try {
    examination.files = await unpack(zip);
  } catch (error) {
    run.problems('container', [reason(error)]);
    return report(run, examination);
  }
  try {
    await examination.all();
  } catch (error) {
    run.broken(error);
  }
  return report(run, examination);
}

function report(run: Runner, { notProved: limits, later, story }: Examination): Verification {
  const checks = run.finish();
  const failed = checks.filter(({ outcome }) => outcome.state === 'fail').map(({ name }) => name);
  // A check that did not run has proved nothing, which must not be read over.
  const unproved = checks.flatMap(({ name, proves, outcome }) => {
    if (outcome.state === 'skipped') return [`that ${proves}: \`${name}\` was skipped (${outcome.reason})`];
    return outcome.state === 'not checked here' ? [`that ${proves}: \`${name}\` was not checked here (${outcome.reason})`] : [];
  });
  return { checks, failed, passed: failed.length === 0, notProved: [...limits, ...unproved], later, story };
}

/** What the log proves by itself: events at their places, and people. */
interface Proved {
  manifest: Manifest;
  key: VerifierKey;
  /** Of the root, in this life of the log. */
  versions: Versions;
  signed: Signed;
  witnessed: Witnessed | undefined;
  contents: Contents;
  streams: Streams;
  subject: Case;
  directories: Directories;
}

/** What policy had to say. */
interface Judgements {
  verdicts: Verdict[];
  /** The verdict of the request phase. */
  first: Verdict | undefined;
  entitlement: Entitlement | undefined;
}

/** The order of the checks, and what each hands on to the next. */
class Examination {
  files: Files = new Map();
  readonly story = new Story();
  later: LaterEvent[] = [];
  notProved: string[] = [];
  private readonly run: Runner;
  private readonly lineage: Lineage;
  private readonly options: Options;
  private recoveryProblems: string[] = [];

  constructor(run: Runner, lineage: Lineage, options: Options) {
    this.run = run;
    this.lineage = lineage;
    this.options = options;
  }

  async all(): Promise<void> {
    const proved = await this.proved();
    if (proved === undefined) return;
    this.story.begin(proved.streams, proved.subject);
    const asking = this.run.record('request-digest', await requestDigest(this.files, proved.subject));
    if (asking === undefined) {
      await this.policyChain(proved);
      this.notProved = this.limits(proved, undefined);
      return;
    }
    await this.requester(proved, asking);
    await this.policyChain(proved);
    const judged = await this.judged(proved, asking);
    const verified = await this.decisions(proved, judged);
    await this.passkeys(proved, judged, verified);
    this.run.problems('recovery-wait', this.recoveryProblems);
    const seats = await this.approval(proved, asking, judged, verified);
    const certificates = await this.leases(proved, asking, judged);
    await this.attestations(proved, certificates);
    const withheld = await this.disclosures(proved, asking, judged);
    await this.newer(proved, verified);
    this.notProved = [...this.limits(proved, judged.entitlement), ...recoveries(proved.streams), ...withheld];
    this.story.tell({ asking, verdict: judged.first?.document, entitlement: judged.entitlement, seats, verified, subject: proved.subject });
  }

  /** Container, trust root, log, streams and people. */
  private async proved(): Promise<Proved | undefined> {
    const { run, files, lineage } = this;
    const root = lineage.newest;
    run.problems('container', []);
    const manifest = run.record('manifest', readManifest(files));
    if (manifest === undefined) return undefined;
    run.problems('file-digests', await changedFiles(files, manifest));
    const life = run.record('trust-root', trustRoot(lineage, manifest, this.options.now));
    if (life === undefined) return undefined;
    const { key } = life;
    if (!(await knowsEd25519())) {
      run.problems('checkpoint-signature', [NO_ED25519]);
      return undefined;
    }
    const signed = run.record('checkpoint-signature', await checkpointSignature(files, manifest, key, root));
    if (signed === undefined) return undefined;
    const accepted = await run.attempt('witness-policy', () => accept(root.witnessPolicy, signed.note));
    const witnessed = accepted && { required: root.witnessPolicy.quorum !== 'none', completeAt: accepted.quorumTime };
    const leaves = run.record('leaf-inclusion', await leafInclusion(files, manifest, signed));
    const contents = leaves && run.record('leaf-encoding', leafEncoding(leaves));
    const streams = leaves && contents && run.record('stream-continuity', streamContinuity(manifest, leaves, contents));
    if (leaves === undefined || contents === undefined || streams === undefined) return undefined;
    run.problems('log-time', logTime(contents));
    const subject = run.record('stream-lifecycle', await streamLifecycle(manifest.request, manifest.request_sha256, streams.request));
    if (subject === undefined) return undefined;
    const versions = inForce(life.versions, streams);
    const people = run.record('identity-chain', await identityChain(versions, streams, leaves));
    if (people === undefined) return undefined;
    this.recoveryProblems = people.recoveryProblems;
    run.add('trust-root', trustProblems(lineage, versions, manifest.origin, streams));
    return { manifest, key, versions, signed, witnessed, contents, streams, subject, directories: people.directories };
  }

  private async requester({ subject, directories, versions }: Proved, asking: Asking): Promise<void> {
    const { index, at, event } = subject.submitted;
    const { logOrigin, site } = versions.newest;
    const place = { logOrigin, site, directory: directories.before(index), at };
    await this.run.attempt('requester-signature', async () => {
      try {
        await checkRequester(event, asking, place);
      } catch (error) {
        if (error instanceof RecoveryRefusal) this.recoveryProblems.push(`leaf ${index}: ${reason(error)}`);
        throw error;
      }
      return true;
    });
    if (!namesKey(subject, asking)) return this.run.skip('beneficiary-possession', 'the request names no key');
    await this.run.attempt('beneficiary-possession', () => checkPossession(subject, asking).then(() => true));
  }

  private async policyChain({ streams, subject, directories, versions }: Proved): Promise<void> {
    this.run.problems('policy-chain', await policyChain(streams.policy, subject.judged, directories, versions));
  }

  /** Policy files, entitlement and verdicts. */
  private async judged(proved: Proved, asking: Asking): Promise<Judgements> {
    const { run, files } = this;
    const { subject, directories, streams, versions } = proved;
    const phase = requestPhase(subject);
    const policy = await run.attempt('policy-digest', async () => {
      if (phase === undefined) throw new Error('no verdict names a policy');
      await checkPolicyDigest(files, phase);
      return phase;
    });
    const entitlement = policy === undefined ? undefined : await this.entitlement(asking);
    const verdicts = run.record('verdict-digest', await verdictDigest(files, subject, asking, entitlement, directories)) ?? [];
    run.add('policy-chain', engineProblems(streams.policy, verdicts, versions));
    if (policy !== undefined) run.cannot('verdict-replay', NO_POLICY_ENGINE);
    return { verdicts, first: verdicts.find(({ judged }) => judged.index === phase?.index), entitlement };
  }

  /** The entitlement as `policy/` defines it; or, where its file cannot be read here, as the input has it under the signed digest. */
  private async entitlement(asking: Asking): Promise<Entitlement | undefined> {
    const { name, sha256 } = asking.document.entitlement;
    try {
      const data = entitlementData(this.files, name);
      return await this.run.attempt('entitlement-digest', async () => {
        if (data === undefined) throw new Error(`the policy has no entitlement \`${name}\``);
        const entitlement = await parseEntitlement(name, data);
        if (entitlement.sha256 !== sha256) throw new Error(`entitlement \`${name}\` is another one than the request names`);
        return entitlement;
      });
    } catch (error) {
      if (!(error instanceof YamlUnreadable)) {
        this.run.add('policy-digest', [reason(error)]);
        return undefined;
      }
      this.run.cannot('entitlement-digest', reason(error));
      return this.entitlementOfInput(name, sha256);
    }
  }

  private async entitlementOfInput(name: string, sha256: string): Promise<Entitlement | undefined> {
    try {
      const input: unknown = JSON.parse(new TextDecoder().decode(this.files.get('input.json')));
      const data = isObject(input) ? input.entitlement : undefined;
      const entitlement = data === undefined ? undefined : await parseEntitlement(name, data);
      return entitlement?.sha256 === sha256 ? entitlement : undefined;
    } catch {
      return undefined;
    }
  }

  private async decisions({ subject, directories, signed, versions }: Proved, { first }: Judgements): Promise<Verified[]> {
    if (subject.decisions.length === 0) {
      this.run.skip('decision-signatures', 'nobody decided');
      this.run.skip('decision-subject', 'nobody decided');
      return [];
    }
    const examined = await examine(subject, directories, versions.newest);
    this.recoveryProblems.push(...examined.recoveryProblems);
    this.run.problems('decision-signatures', examined.signatureProblems);
    const about = decisionSubject(subject, examined.verified, first?.document, signed.checkpoint.root);
    this.run.problems('decision-subject', [...examined.subjectProblems, ...about]);
    return examined.verified;
  }

  /** What made the passkeys, where policy demands to know. */
  private async passkeys({ streams, versions }: Proved, { verdicts }: Judgements, verified: Verified[]): Promise<void> {
    const problems = await registrationProblems(this.files, streams);
    const demanded = verdicts.some(({ document }) => document.obligations.has(HARDWARE_PASSKEY));
    if (demanded) problems.push(...(await signerProblems(this.files, versions, streams, verified)));
    if (demanded || problems.length > 0) this.run.problems('passkey-attestation', problems);
    else this.run.skip('passkey-attestation', 'policy demanded no hardware');
  }

  /** Quorum, clocks and floor. */
  private async approval({ subject, directories, versions }: Proved, asking: Asking, { first, verdicts }: Judgements, verified: Verified[]): Promise<Seating | undefined> {
    const { run } = this;
    if (first === undefined) {
      for (const name of ['quorum', 'approval-time', 'floor'] as const) run.skip(name, 'needs `verdict-digest`');
      return undefined;
    }
    const verdict = first.document;
    const counted = await lastCounted(subject, verified, verdict, directories);
    run.problems('approval-time', approvalTime(subject, asking, verdict, verdicts, counted));
    const { approved } = subject;
    if (approved === undefined) {
      run.skip('quorum', 'it was not approved');
      run.skip('floor', 'it was not approved');
      return undefined;
    }
    const found = await quorum(subject, approved, verified, verdict, directories);
    const again = askedAgain(subject, approved.event.seats, verdicts, directories);
    const seats = run.record('quorum', { ...found, problems: [...found.problems, ...again, ...unknownObligations(verdicts)] });
    run.problems('floor', floorProblems(versions, subject, asking, verdict, approved));
    return seats;
  }

  private async leases({ subject, versions }: Proved, asking: Asking, { first, verdicts, entitlement }: Judgements): Promise<ReadonlyMap<string, CertificateFacts>> {
    if (!hasCredentials(subject, this.files)) {
      this.run.skip('lease-intended', 'no credential was announced');
      return new Map();
    }
    const terms = termsOf(entitlement, asking, first, verdicts);
    const granted = { subject, asking, versions, terms, reader: this.options.certificates ?? readCertificate };
    const { certificates, problems } = await readCertificates(granted, this.files);
    this.run.problems('lease-intended', [...announcementProblems(granted), ...problems]);
    return certificates;
  }

  private async attestations({ streams, ...proved }: Proved, certificates: ReadonlyMap<string, CertificateFacts>): Promise<void> {
    const found = await attestationProblems({ ...proved, files: this.files, certificates }, streams);
    const three = [
      ['attestation-signatures', found.signatures],
      ['attestation-log-entry', found.logEntries],
      ['attestation-content', found.contents],
    ] as const;
    for (const [name, problems] of three) {
      if (found.count === 0 && problems.length === 0) this.run.skip(name, 'there are no attestations');
      else this.run.problems(name, problems);
    }
  }

  /** What is said of values that are not shown. */
  private async disclosures({ contents }: Proved, asking: Asking, { verdicts }: Judgements): Promise<string[]> {
    const disclosed = this.run.record('disclosures', await disclosures(this.files, asking, verdicts, contents));
    if (disclosed === undefined) return [];
    this.story.disclose(disclosed);
    return disclosed.withheld === 0
      ? []
      : [`what stands behind ${disclosed.withheld} commitments: their values were redacted or are withheld`];
  }

  private async newer({ manifest, signed, versions }: Proved, verified: readonly Verified[]): Promise<void> {
    const { newerLog: newer } = this.options;
    if (newer === undefined) return this.run.skip('newer-log', 'no newer log was given');
    const named = verified.map(({ place, document: { checkpoint } }) => ({ ...checkpoint, leaf: place.recorded.index }));
    const held = { manifest, checkpoint: signed.checkpoint, root: this.lineage.newest, versions, named };
    this.later = this.run.record('newer-log', await newerLog(held, newer)) ?? [];
  }

  /** What no check shows. */
  private limits({ witnessed, streams }: Proved, entitlement: Entitlement | undefined): string[] {
    return notProved(witnessed, entitlement, streams, this.options.newerLog !== undefined);
  }
}
