/** Which version of the trust root counts for an event: the last one that was sealed before it in the log. */

import { refuse } from './shape';
import type { TrustRoot } from './trust';

/** The versions of one life of the log. Never changed: what its leaves say of them makes others. */
export class Versions {
  private readonly roots: readonly TrustRoot[];
  private readonly sealed: ReadonlyMap<number, number>;

  /** Oldest first, at least one; and at which leaf the log says that a version was sealed. */
  constructor(roots: readonly TrustRoot[], sealed: ReadonlyMap<number, number> = new Map()) {
    this.roots = roots;
    this.sealed = sealed;
  }

  /** The same, with the leaves at which the log says that versions were sealed. */
  sealedAt(sealed: ReadonlyMap<number, number>): Versions {
    return new Versions(this.roots, sealed);
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
   * After the leaf that says so. Where that is not at hand, from its date on: so to leave the leaf out, or to hold it back,
   * makes a version count no later than it does.
   */
  private covers({ document }: TrustRoot, index: number, time: number): boolean {
    const leaf = this.sealed.get(document.version);
    return leaf === undefined ? time >= document.created_at : index > leaf;
  }
}
