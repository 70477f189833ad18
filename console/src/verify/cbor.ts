/** The part of CBOR (RFC 8949) that authenticators write: definite lengths only. Throws on everything else. */

import { decodeUtf8 } from './canonical';
import { refuse } from './shape';

const MAX_DEPTH = 16;

const Major = { Positive: 0, Negative: 1, Bytes: 2, Text: 3, Array: 4, Map: 5, Tag: 6 } as const;

/** Reads one item after the other. */
export class CborReader {
  private readonly input: Uint8Array;
  position = 0;

  constructor(input: Uint8Array) {
    this.input = input;
  }

  get atEnd(): boolean {
    return this.position === this.input.length;
  }

  /** Number of members of the map that follows. */
  map(): number {
    return this.of(Major.Map);
  }

  /** Number of elements of the array that follows. */
  array(): number {
    return this.of(Major.Array);
  }

  text(): string {
    return decodeUtf8(this.take(this.of(Major.Text))) ?? refuse('CBOR text is not UTF-8');
  }

  bytes(): Uint8Array {
    return this.take(this.of(Major.Bytes));
  }

  integer(): number {
    const { major, value } = this.head();
    if (major === Major.Positive) return value;
    return major === Major.Negative ? -1 - value : refuse('CBOR integer expected');
  }

  /** Steps over one item, whatever it is. */
  skip(depth = 0): void {
    if (depth > MAX_DEPTH) refuse('CBOR is nested too deep');
    const { major, value } = this.head();
    if (major === Major.Bytes || major === Major.Text) this.take(value);
    const items = major === Major.Array ? value : major === Major.Map ? value * 2 : major === Major.Tag ? 1 : 0;
    for (let item = 0; item < items; item += 1) this.skip(depth + 1);
  }

  private of(wanted: number): number {
    const { major, value } = this.head();
    return major === wanted ? value : refuse('another CBOR item was expected');
  }

  private head(): { major: number; value: number } {
    const first = this.take(1)[0] ?? 0;
    const [major, short] = [first >> 5, first & 0x1f];
    if (short < 24) return { major, value: short };
    if (short > 27) refuse('CBOR of indefinite length');
    let value = 0;
    for (const byte of this.take(1 << (short - 24))) value = value * 256 + byte;
    return Number.isSafeInteger(value) ? { major, value } : refuse('CBOR number is too large');
  }

  private take(length: number): Uint8Array {
    const end = this.position + length;
    if (end > this.input.length) refuse('CBOR ends in the middle of an item');
    const taken = this.input.subarray(this.position, end);
    this.position = end;
    return taken;
  }
}
