/** What happens to the trust root, and to the log that it names (docs/spec/events.md). */

import { personSignatures, type PersonSignature } from './documents';
import { reader, type Event } from './events';
import { digest, otherwise, record, text, u64 } from './shape';

/** The version that counts from here on; who signed it can be read from the log too, and is checked in the trust directory. */
interface TrustSealed {
  version: number;
  sha256: string;
  signatures: PersonSignature[];
}

/** The first leaf of a life of the log that follows another: where that one ended. */
interface LogRotated extends TrustSealed {
  origin: string;
  size: number;
  root: string;
}

interface TrustBodies {
  'trust.sealed': TrustSealed;
  'log.rotated': LogRotated;
}

export type TrustEvent = Event<TrustBodies>;

export const readTrustEvent = reader<TrustBodies>({
  'trust.sealed': record<TrustSealed>({ version: u64, sha256: digest, signatures: otherwise(personSignatures, []) }),
  'log.rotated': record<LogRotated>({ origin: text, size: u64, root: digest, version: u64, sha256: digest, signatures: personSignatures }),
});
