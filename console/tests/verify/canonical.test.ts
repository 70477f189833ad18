/** The vectors of crates/canonical/tests/{json,encodings}.rs: RFC 8785's own, its author's, and what is refused. */
import { describe, expect, it } from 'vitest';
import { canonicalize, parseJson, parseStrict } from '../../src/verify/canonical';
import {
  fromBase64,
  fromBase64Url,
  fromHex,
  hex,
  requestChallenge,
  requestDigest,
  sha256,
  sha256Hex,
  toBase64,
  toBase64Url,
  utf8,
} from '../../src/verify/digest';

function canonicalises(input: string, expected: string): void {
  expect(canonicalize(parseJson(input))).toBe(expected);
  expect(canonicalize(parseStrict(expected))).toBe(expected);
  if (input !== expected) expect(() => parseStrict(input)).toThrow('canonical form');
}

describe('canonical JSON', () => {
  it('writes the published vectors', () => {
    // RFC 8785, section 3.2.3
    canonicalises(
      String.raw`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",
        "\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`,
      '{"\\r":"Carriage Return","1":"One","\u0080":"Control","ö":"Latin Small Letter O With Diaeresis",' +
        '"€":"Euro Sign","😀":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}',
    );
    // RFC 8785, section 3.2.2, without its floats
    canonicalises(
      String.raw`{"string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}`,
      String.raw`{"literals":[null,true,false],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
    // cyberphone/json-canonicalization: arrays, french, structures (its one float as an integer), unicode, weird
    canonicalises('[\n  56,\n  {"d": true,"10": null,"1": [ ]}\n]', '[56,{"1":[],"10":null,"d":true}]');
    canonicalises(
      '{"peach": "This sorting order", "péché": "is wrong according to French",\n "pêche": "but canonicalization MUST", "sin":   "ingnore locale"}',
      '{"peach":"This sorting order","péché":"is wrong according to French","pêche":"but canonicalization MUST","sin":"ingnore locale"}',
    );
    canonicalises(
      String.raw`{"1": {"f": {"f": "hi","F": 5} ,"\n": 56}, "10": { }, "": "empty", "a": { }, "111": [ { } ], "A": { }}`,
      String.raw`{"":"empty","1":{"\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{}],"A":{},"a":{}}`,
    );
    canonicalises(String.raw`{ "Unnormalized Unicode":"A\u030a" }`, '{"Unnormalized Unicode":"A\u030a"}');
    canonicalises(
      String.raw`{"\u20ac": "Euro Sign", "1": "One", "\u0080": "Control\u007f", "\ud83d\ude02": "Smiley",
        "\u00f6": "Latin Small Letter O With Diaeresis", "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "</script>": "Browser Challenge"}`,
      '{"1":"One","</script>":"Browser Challenge","\u0080":"Control\u007f","ö":"Latin Small Letter O With Diaeresis",' +
        '"€":"Euro Sign","😂":"Smiley","\ufb33":"Hebrew Letter Dalet With Dagesh"}',
    );
  });

  it('writes scalars', () => {
    canonicalises(' 9007199254740991 ', '9007199254740991');
    canonicalises('-9007199254740991', '-9007199254740991');
    canonicalises('0', '0');
    canonicalises('null', 'null');
    canonicalises('\t\r\n true', 'true');
    canonicalises(String.raw`"\b\f\n\r\t\u001F\u007f\u2028"`, '"\\b\\f\\n\\r\\t\\u001f\u007f\u2028"');
    canonicalises(' {"__proto__": {"a": 1}, "constructor": 2}', '{"__proto__":{"a":1},"constructor":2}');
  });

  it.each(['1.0', '-0', '1e2', '1E2', '0.5', '[-0.0]', '9007199254740993.0', '{"n":[1E30,4.50]}'])('refuses the float %s', (text) => {
    expect(() => parseJson(text)).toThrow('plain integer');
  });

  it.each(['9007199254740992', '-9007199254740992', '18446744073709551615', '99999999999999999999999999'])('refuses the large %s', (text) => {
    expect(() => parseJson(text)).toThrow('integer is beyond');
  });

  it.each([String.raw`{"a":1,"a":1}`, String.raw`[{"b":{"":0,"\u0000":1,"":0}}]`, String.raw`{"é":1,"\u00e9":2}`, '{"__proto__":1,"__proto__":2}'])(
    'refuses repeated names in %s',
    (text) => {
      expect(() => parseJson(text)).toThrow('occurs twice');
    },
  );

  it('refuses halves of surrogate pairs and bytes that are not UTF-8', () => {
    for (const lone of ['\\ud800', '\\udc00', '\\ud800x', '\\ud800\\n', '\\ud800\\ud800', '\\ud800\\u0041', '\ud800']) {
      expect(() => parseJson(`"${lone}"`), lone).toThrow('lone surrogate');
    }
    for (const bytes of [[0x22, 0xff, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22]]) {
      expect(() => parseJson(Uint8Array.from(bytes))).toThrow('UTF-8');
    }
    expect(() => canonicalize('\udc00')).toThrow('lone surrogate');
  });

  it.each(['{}{}', '1 2', '[] ,', 'nullx'])('refuses what follows the document in %s', (text) => {
    expect(() => parseJson(text)).toThrow('text after the document');
  });

  it.each([
    ...['', ' ', '{', '[', '[1,]', '[,1]', '{,}', '{"a"}', '{"a":}', '{"a":1,}', '{a:1}', "'a'", '"a', '"\n"', '"\\x"', '"\\u12'],
    ...['"\\', '01', '-', '--1', '+1', '.5', '-a', 'tru', 'True', 'NaN', 'Infinity', '\ufeff1', '[1 2]', '{"a":1 "b":2}', '//c\n1', '\u00a01'],
    ...['"\\u12g4"'],
  ])('refuses the syntax of %j', (text) => {
    expect(() => parseJson(text)).toThrow('invalid JSON');
    expect(() => parseJson(utf8(text))).toThrow('invalid JSON');
  });

  it('has the same depth for reading and writing', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    expect(canonicalize(parseJson(nested(64)))).toBe(nested(64));
    expect(() => parseJson(nested(65))).toThrow('nested deeper');
    expect(() => parseJson('['.repeat(1_000_000))).toThrow('nested deeper');
    expect(() => canonicalize([parseJson(nested(64))])).toThrow('nested deeper');
    expect(() => parseJson(new Uint8Array(8 * 1024 * 1024 + 1).fill(0x20))).toThrow('larger than');
  });

  it.each(['{ }', '{"b":1,"a":2}', '"\\u0041"', '"\\/"', '"\\u000A"', '[1]\n', '"\\u001F"'])('refuses %j, which is not canonical', (text) => {
    expect(() => parseStrict(text)).toThrow('canonical form');
    expect(() => parseStrict(utf8(text))).toThrow('canonical form');
  });

  it('refuses values without a canonical form', () => {
    for (const value of [1.5, 2 ** 53, NaN, Infinity, undefined, 1n, () => 1, [undefined]]) expect(() => canonicalize(value)).toThrow();
    expect(canonicalize({ b: undefined, a: [1, 'x', null] })).toBe('{"a":[1,"x",null]}');
  });
});

describe('digests', () => {
  it('are those of FIPS 180-4', async () => {
    const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    expect(hex(await sha256(utf8('abc')))).toBe(abc);
    expect(await requestDigest('abc')).toBe(abc);
    expect(fromHex(abc)).toEqual(await sha256(utf8('abc')));
    for (const wrong of [abc.toUpperCase(), `${abc}0`, ` ${abc}`, 'é']) expect(fromHex(wrong)).toBeUndefined();
    expect(hex(await requestChallenge('{}'))).toBe(await sha256Hex('chancery request v1\n{}'));
  });

  it('have one spelling in base64 (RFC 4648, section 10)', () => {
    for (const [text, standard] of [['', ''], ['f', 'Zg=='], ['fo', 'Zm8='], ['foo', 'Zm9v'], ['foobar', 'Zm9vYmFy']] as const) {
      expect(toBase64(utf8(text))).toBe(standard);
      expect(fromBase64(standard)).toEqual(utf8(text));
      expect(toBase64Url(utf8(text))).toBe(standard.replaceAll('=', ''));
      expect(fromBase64Url(standard.replaceAll('=', ''))).toEqual(utf8(text));
    }
    for (const loose of ['Zg==', 'Zh', 'Zg ', ' Zg', 'Z g', 'Zg\n', 'Z', '+_8', '/w', 'Zg=', 'Zm9']) expect(fromBase64Url(loose), loose).toBeUndefined();
    for (const loose of ['Zg', 'Zg=', 'Zh==', 'Zg==\n', 'Zg== ', 'Zm9v=', '-w==', '_w==', 'Zm9vZg==Zg==', '====']) expect(fromBase64(loose), loose).toBeUndefined();
  });
});
