/** The Merkle tree of RFC 6962: hashes of leaves and nodes, and inclusion as RFC 9162 §2.1.3.2 checks it. */

import { concat, equal, sha256, type Bytes } from './digest';
import { refuse } from './shape';

/** A tree's size and root. */
export interface Root {
  size: number;
  hash: Bytes;
}

export async function leafHash(leaf: Uint8Array): Promise<Bytes> {
  return sha256(concat(Uint8Array.of(0x00), leaf));
}

export async function nodeHash(left: Uint8Array, right: Uint8Array): Promise<Bytes> {
  return sha256(concat(Uint8Array.of(0x01), left, right));
}

/** Throws unless the leaf of this hash stands at this index of this tree. */
export async function checkInclusion(root: Root, index: number, leaf: Bytes, path: readonly Bytes[]): Promise<void> {
  if (index >= root.size) refuse(`leaf ${index} cannot be in a tree of ${root.size} leaves`);
  let [node, last, computed] = [index, root.size - 1, leaf];
  for (const sibling of path) {
    if (last === 0) refuse('the inclusion proof has more hashes than this index and size need');
    if (node % 2 === 1 || node === last) {
      computed = await nodeHash(sibling, computed);
      // A node that is last in its row and a left child has no sibling until a higher row.
      while (node % 2 === 0 && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      computed = await nodeHash(computed, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  if (last !== 0) refuse('the inclusion proof has fewer hashes than this index and size need');
  if (!equal(computed, root.hash)) refuse('the inclusion proof leads to another root than the checkpoint says');
}

/** A tree that grows leaf by leaf. It keeps one hash for each complete subtree, largest first. */
export class GrowingTree {
  private leaves = 0;
  private peaks: Bytes[] = [];

  get size(): number {
    return this.leaves;
  }

  /** Takes in the hash of the next leaf. */
  async append(leaf: Bytes): Promise<void> {
    let node = leaf;
    // Each complete subtree as large as the new one becomes its left half.
    for (let row = this.leaves; row % 2 === 1; row = half(row)) node = await nodeHash(this.peaks.pop() ?? refuse('the tree has lost a subtree'), node);
    this.peaks.push(node);
    this.leaves += 1;
  }

  async root(): Promise<Root> {
    let hash = this.peaks.at(-1) ?? (await sha256(new Uint8Array()));
    for (const peak of this.peaks.slice(0, -1).reverse()) hash = await nodeHash(peak, hash);
    return { size: this.leaves, hash };
  }
}

function half(number: number): number {
  return Math.floor(number / 2);
}
