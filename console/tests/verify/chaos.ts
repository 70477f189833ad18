/** What the tests of hostile bytes share: dice that fall alike each time, and a packer. */
import { crc32 } from 'node:zlib';
import { concat, utf8, type Bytes } from '../../src/verify/digest';

/** Whole numbers below a limit, the same in every run (xorshift32). */
export function random(seed: number): (limit: number) => number {
  let state = seed * 2_654_435_761;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

/** A zip of these files, stored. */
export function packed(files: ReadonlyMap<string, Uint8Array>): Bytes {
  const locals: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const [path, bytes] of files) {
    const shared = numbers([20, 0x800, 0, 0, 0x21], [crc32(bytes), bytes.length, bytes.length], [path.length, 0]);
    const local = concat(utf8('PK\u0003\u0004'), shared, utf8(path), bytes);
    directory.push(concat(utf8('PK\u0001\u0002'), numbers([20]), shared, new Uint8Array(10), numbers([], [offset]), utf8(path)));
    locals.push(local);
    offset += local.length;
  }
  const central = concat(...directory);
  const end = numbers([0, 0, files.size, files.size], [central.length, offset], [0]);
  return concat(...locals, central, utf8('PK\u0005\u0006'), end);
}

/** Where a zip's directory says who packed a file and how a disk should show it, which changes no file. */
export function idlePlaces(zip: Uint8Array): Set<number> {
  const bytes = Buffer.from(zip);
  const idle = new Set<number>();
  for (let at = bytes.indexOf('PK\u0001\u0002'); at >= 0; at = bytes.indexOf('PK\u0001\u0002', at + 1)) {
    for (const field of [4, 5, 36, 37, 38, 39, 40, 41]) idle.add(at + field);
  }
  return idle;
}

/** Numbers of 16, 32 and 16 bits, little-endian. */
function numbers(short: number[], long: number[] = [], last: number[] = []): Bytes {
  const view = new DataView(new ArrayBuffer((short.length + last.length) * 2 + long.length * 4));
  short.forEach((number, place) => view.setUint16(place * 2, number, true));
  long.forEach((number, place) => view.setUint32(short.length * 2 + place * 4, number, true));
  last.forEach((number, place) => view.setUint16(short.length * 2 + long.length * 4 + place * 2, number, true));
  return new Uint8Array(view.buffer);
}
