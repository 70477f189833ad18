/** Which version of the trust root counts for an event: the last one that was sealed before it in the log. */

import { refuse } from './shape';
import type { TrustRoot } from './trust';

/** A version may collect signatures so long, in seconds. A leaf that says later that it was sealed is one that was kept back. */
export const MAX_OFFER_SECONDS = 7 * 24 * 3600;

/** The log says at this leaf, of this time, that a version was sealed. */
export interface SealedAt {
  version: number;
  index: number;
  at: number;
}

/** The versions of one life of the log. Never changed: what its leaves say of them makes others. */
export class Versions {
  private readonly roots: readonly TrustRoot[];
  private readonly sealed: readonly SealedAt[];

  /** Oldest first, at least one; and what the log says of when they were sealed, in its order. */
  constructor(roots: readonly TrustRoot[], sealed: readonly SealedAt[] = []) {
    this.roots = roots;
    this.sealed = sealed;
  }

  /** The same, with the leaves at which the log says that versions were sealed. */
  sealedAt(sealed: readonly SealedAt[]): Versions {
    return new Versions(this.roots, sealed);
  }

  /** The same, with one more of these leaves, which stands behind those that are known. */
  alsoSealed(said: SealedAt): Versions {
    return new Versions(this.roots, [...this.sealed, said]);
  }

  /** What counts for an event of this time at this index. */
  at(index: number, time: number): TrustRoot {
    return this.roots.slice(1).findLast((root) => this.covers(root, index, time)) ?? this.oldest;
  }

  /** The first of this life, which counts from its beginning. */
  get oldest(): TrustRoot {
    return this.roots[0] ?? refuse('no version of the trust root is of this log');
  }

  get newest(): TrustRoot {
    return this.roots.at(-1) ?? this.oldest;
  }

  /**
   * After the first leaf that says so in time. Where none is at hand, from its date on: so to leave the leaf out, to hold it
   * back or to repeat it makes a version count no later than it does.
   */
  private covers({ document: { version, created_at } }: TrustRoot, index: number, time: number): boolean {
    const leaf = this.sealed.find((said) => said.version === version && said.at <= created_at + MAX_OFFER_SECONDS);
    return leaf === undefined ? time >= created_at : index > leaf.index;
  }
}
