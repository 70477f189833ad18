// The page's own canonical JSON against RFC 8785 and its author's test data (cyberphone/json-canonicalization).
import assert from 'node:assert/strict';

const VECTORS = [
  // RFC 8785 §3.2.3
  [String.raw`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`,
    '{"\\r":"Carriage Return","1":"One","\u0080":"Control","ö":"Latin Small Letter O With Diaeresis","€":"Euro Sign","😀":"Emoji: Grinning Face","\ufb33":"Hebrew Letter Dalet With Dagesh"}'],
  // RFC 8785 §3.2.2, without its floats
  [String.raw`{"string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}`,
    String.raw`{"literals":[null,true,false],"string":"€$\u000f\nA'B\"\\\\\"/"}`],
  // arrays, french, structures, unicode, weird
  ['[\n  56,\n  {"d": true,"10": null,"1": [ ]}\n]', '[56,{"1":[],"10":null,"d":true}]'],
  ['{"peach": "This sorting order", "péché": "is wrong according to French", "pêche": "but canonicalization MUST", "sin": "ignore locale"}',
    '{"peach":"This sorting order","péché":"is wrong according to French","pêche":"but canonicalization MUST","sin":"ignore locale"}'],
  [String.raw`{"1": {"f": {"f": "hi","F": 5} ,"\n": 56.0}, "10": { }, "": "empty", "a": { }, "111": [ {"e": "yes","E": "no" } ], "A": { }}`,
    String.raw`{"":"empty","1":{"\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{"E":"no","e":"yes"}],"A":{},"a":{}}`],
  [String.raw`{ "Unnormalized Unicode":"A\u030a" }`, '{"Unnormalized Unicode":"A\u030a"}'],
  [String.raw`{"\u0080": "Control\u007f", "<\/script>": "Browser Challenge", "\ud83d\ude02": "Smiley", "\ufb33": "Dalet"}`,
    '{"</script>":"Browser Challenge","\u0080":"Control\u007f","😂":"Smiley","\ufb33":"Dalet"}'],
  // RFC 8785 appendix B, its integers; and a member that JavaScript treats apart
  ['[0, -0, 9007199254740991, -9007199254740991]', '[0,0,9007199254740991,-9007199254740991]'],
  ['{"__proto__": 1, "constructor": {"toString": []}}', '{"__proto__":1,"constructor":{"toString":[]}}'],
];

const REFUSED = ['0.5', '1e30', '333333333.33333329', '9007199254740992', '-9007199254740992', String.raw`"\ud83d"`, String.raw`{"\udead":1}`];

// Texts that parse, but are not the one canonical form of what they say.
const NOT_CANONICAL = ['{ "type":"urn:chancery:request:v1"}', '{"type":"urn:chancery:request:v1","a":1}', '{"a":1,"a":1,"type":"urn:chancery:request:v1"}',
  '{"a":1.0,"type":"urn:chancery:request:v1"}', String.raw`{"a":"\u0041","type":"urn:chancery:request:v1"}`, '{"a":-0,"type":"urn:chancery:request:v1"}'];

const HIDDEN = { '\u202e': 'U+202E', '\u2066': 'U+2066', '\u200b': 'U+200B', '\ufeff': 'U+FEFF', '\u00a0': 'U+00A0', '\u0007': 'U+0007',
  '\u00ad': 'U+00AD', '\u2028': 'U+2028', '\ufe0f': 'U+FE0F', '\u{e0041}': 'U+E0041', '\u3164': 'U+3164', '\u2800': 'U+2800' };

export async function testOwnFunctions(page) {
  const results = await page.evaluate((inputs) => inputs.map((input) => globalThis.canonical(JSON.parse(input))), VECTORS.map(([input]) => input));
  VECTORS.forEach(([input, expected], index) => assert.equal(results[index], expected, input));
  for (const input of REFUSED) {
    await assert.rejects(page.evaluate((text) => globalThis.canonical(JSON.parse(text)), input), /integer|surrogate/, input);
  }
  for (const text of NOT_CANONICAL) {
    await assert.rejects(page.evaluate((text) => globalThis.readDocument('request', text), text), /not in canonical form/, text);
  }
  for (const [character, name] of Object.entries(HIDDEN)) {
    const shown = await page.evaluate((text) => globalThis.visible(text).map((node) => node.textContent).join(''), `a${character}b`);
    assert.equal(shown, `a${name}b`);
  }
}
