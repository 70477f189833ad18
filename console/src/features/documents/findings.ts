/** Collects what differs between what is signed and what is shown. Whoever finds one thing offers nothing to sign. */
import { canonicalize, isObject, type JsonObject } from '../../verify/canonical';

/** One difference. */
export interface Finding {
  what: string;
  detail: string;
}

/** What would be signed is not what is shown. */
export class Different extends Error {
  override readonly name = 'Different';

  constructor(readonly findings: readonly Finding[]) {
    super(findings.map(({ what, detail }) => `${what}: ${detail}`).join('; '));
  }
}

export class Findings {
  readonly list: Finding[] = [];

  holds(what: string, condition: boolean, detail: string): void {
    if (!condition) this.list.push({ what, detail });
  }

  same(what: string, signed: unknown, shown: unknown): void {
    const left = text(signed);
    const right = text(shown);
    this.holds(what, left === right, `signed: ${left} · otherwise: ${right}`);
  }

  /**
   * Exactly these members: one that is not known here would be signed unseen.
   *
   * @throws Error when it is no object or lacks one, as nothing can be read from it then.
   */
  members(what: string, value: unknown, needed: readonly string[], optional: readonly string[] = []): JsonObject {
    if (!isObject(value)) throw new Error(`${what} is not an object`);
    const names = Object.keys(value);
    const unknown = names.filter((name) => !needed.includes(name) && !optional.includes(name));
    const absent = needed.filter((name) => !names.includes(name));
    this.holds(what, unknown.length === 0, `holds members that are not shown here: ${unknown.join(', ')}`);
    if (absent.length > 0) throw new Error(`${what} lacks ${absent.join(', ')}`);
    return value;
  }

  /** Whatever cannot even be read is a finding as well. */
  async collect<Read>(what: string, work: () => Read | Promise<Read>): Promise<Read | undefined> {
    try {
      return await work();
    } catch (fault) {
      this.holds(what, false, fault instanceof Error ? fault.message : String(fault));
      return undefined;
    }
  }

  /**
   * What was read, when nothing was found.
   *
   * @throws Different
   */
  settle<Read>(read: Read | undefined): Read {
    if (this.list.length > 0 || read === undefined) throw new Different(this.list);
    return read;
  }
}

function text(value: unknown): string {
  if (value === undefined) return '(absent)';
  return typeof value === 'string' ? value : canonicalize(value);
}
