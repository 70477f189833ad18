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

function half(number: number): number {
  return Math.floor(number / 2);
}
