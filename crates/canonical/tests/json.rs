//! RFC 8785's own examples, the public test data of its author (cyberphone/json-canonicalization), and what is
//! refused.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use chancery_canonical::json::{self, JsonError, MAX_BYTES, Map, Value};
use chancery_canonical::{Canonical, Sha256};
use proptest::prelude::*;

#[track_caller]
fn canonicalises(input: &str, expected: &str) {
    let value = json::parse(input.as_bytes()).unwrap();
    assert_eq!(json::to_canonical(&value).unwrap(), expected);
    assert!(json::is_canonical(expected.as_bytes()));
    assert_eq!(json::is_canonical(input.as_bytes()), input == expected);
    assert_eq!(Canonical::parse(expected.as_bytes()).unwrap(), Canonical::of(&value).unwrap());
}

#[track_caller]
fn refused(input: &[u8], expected: JsonError) {
    assert_eq!(json::parse(input), Err(expected.clone()));
    assert_eq!(Canonical::parse(input), Err(expected));
}

#[test]
fn published_vectors() {
    // RFC 8785, section 3.2.3
    canonicalises(
        r#"{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",
            "\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}"#,
        "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u{80}\":\"Control\",\"ö\":\"Latin Small Letter O With \
         Diaeresis\",\"€\":\"Euro Sign\",\"😀\":\"Emoji: Grinning Face\",\"\u{fb33}\":\"Hebrew Letter Dalet With \
         Dagesh\"}",
    );
    // RFC 8785, section 3.2.2, without its floats
    canonicalises(
        r#"{"string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false]}"#,
        r#"{"literals":[null,true,false],"string":"€$\u000f\nA'B\"\\\\\"/"}"#,
    );
    // cyberphone test data: arrays, french, structures (with its one float written as an integer), unicode, weird
    canonicalises(
        "[\n  56,\n  {\"d\": true,\"10\": null,\"1\": [ ]}\n]",
        r#"[56,{"1":[],"10":null,"d":true}]"#,
    );
    canonicalises(
        r#"{"peach": "This sorting order", "péché": "is wrong according to French",
            "pêche": "but canonicalization MUST", "sin":   "ingnore locale"}"#,
        r#"{"peach":"This sorting order","péché":"is wrong according to French","pêche":"but canonicalization MUST","sin":"ingnore locale"}"#,
    );
    canonicalises(
        r#"{"1": {"f": {"f": "hi","F": 5} ,"\n": 56}, "10": { }, "": "empty", "a": { }, "111": [ { } ], "A": { }}"#,
        r#"{"":"empty","1":{"\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{}],"A":{},"a":{}}"#,
    );
    canonicalises(r#"{ "Unnormalized Unicode":"A\u030a" }"#, "{\"Unnormalized Unicode\":\"A\u{30a}\"}");
    canonicalises(
        r#"{"\u20ac": "Euro Sign", "1": "One", "\u0080": "Control\u007f", "\ud83d\ude02": "Smiley",
            "\u00f6": "Latin Small Letter O With Diaeresis", "\ufb33": "Hebrew Letter Dalet With Dagesh",
            "</script>": "Browser Challenge"}"#,
        "{\"1\":\"One\",\"</script>\":\"Browser Challenge\",\"\u{80}\":\"Control\u{7f}\",\"ö\":\"Latin Small \
         Letter O With Diaeresis\",\"€\":\"Euro Sign\",\"😂\":\"Smiley\",\"\u{fb33}\":\"Hebrew Letter Dalet With \
         Dagesh\"}",
    );
}

#[test]
fn published_vectors_with_floats_are_refused() {
    let values = r#"{"numbers": [1E30, 4.50, 333333333.33333329, 2e-3, 0.000000000000000000000000001]}"#;
    refused(values.as_bytes(), JsonError::Float);
    refused(br#"{"1": {"f": {"f": "hi","F": 5} ,"\n": 56.0}}"#, JsonError::Float);
}

#[test]
fn scalars() {
    canonicalises(" 9007199254740991 ", "9007199254740991");
    canonicalises("-9007199254740991", "-9007199254740991");
    canonicalises("0", "0");
    canonicalises("null", "null");
    canonicalises("\t\r\n true", "true");
    canonicalises(r#""\b\f\n\r\t\u001F\u007f\u2028""#, "\"\\b\\f\\n\\r\\t\\u001f\u{7f}\u{2028}\"");
}

#[test]
fn refusals() {
    for float in ["1.0", "-0", "1e2", "1E2", "0.5", "[-0.0]", "9007199254740993.0"] {
        refused(float.as_bytes(), JsonError::Float);
    }
    for large in
        ["9007199254740992", "-9007199254740992", "18446744073709551615", "99999999999999999999999999"]
    {
        refused(large.as_bytes(), JsonError::IntegerTooLarge);
    }
    for (input, name) in [(r#"{"a":1,"a":1}"#, "a"), (r#"[{"b":{"":0,"\u0000":1,"":0}}]"#, "")] {
        refused(input.as_bytes(), JsonError::DuplicateKey { name: name.into() });
    }
    refused(r#"{"é":1,"\u00e9":2}"#.as_bytes(), JsonError::DuplicateKey { name: "é".into() });
    for lone in [
        r#""\ud800""#,
        r#""\udc00""#,
        r#""\ud800x""#,
        r#""\ud800\n""#,
        r#""\ud800\ud800""#,
        r#""\ud800\u0041""#,
    ] {
        refused(lone.as_bytes(), JsonError::LoneSurrogate { offset: 1 });
    }
    refused(b"\"\xff\"", JsonError::NotUtf8);
    refused(b"\"\xed\xa0\x80\"", JsonError::NotUtf8);
    for (input, offset) in [("{}{}", 2), ("1 2", 2), ("[] ,", 3), ("nullx", 4)] {
        refused(input.as_bytes(), JsonError::TrailingData { offset });
    }
    refused(&vec![b' '; MAX_BYTES + 1], JsonError::TooLarge);
}

#[test]
fn syntax_errors() {
    let inputs = [
        "",
        " ",
        "{",
        "[",
        "[1,]",
        "[,1]",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "'a'",
        "\"a",
        "\"\n\"",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"\\u12",
        "\"\\",
        "01",
        "-",
        "--1",
        "+1",
        ".5",
        "-a",
        "tru",
        "True",
        "NaN",
        "Infinity",
        "\u{feff}1",
        "[1 2]",
        "{\"a\":1 \"b\":2}",
        "//c\n1",
        "\u{a0}1",
        "\"\\ud83d\\u\"",
    ];
    for input in inputs {
        let outcome = json::parse(input.as_bytes());
        assert!(matches!(outcome, Err(JsonError::Syntax { .. })), "{input:?}: {outcome:?}");
    }
}

#[test]
fn depth_is_the_same_for_reading_and_writing() {
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(json::parse(nested(64).as_bytes()).is_ok());
    refused(nested(65).as_bytes(), JsonError::TooDeep);
    refused("[".repeat(1_000_000).as_bytes(), JsonError::TooDeep);
    let deepest = json::parse(nested(64).as_bytes()).unwrap();
    assert_eq!(json::to_canonical(&deepest).unwrap(), nested(64));
    assert_eq!(json::to_canonical(&Value::Array(vec![deepest])), Err(JsonError::TooDeep));
}

#[test]
fn bytes_that_are_not_their_own_canonical_form() {
    for input in ["{ }", "{\"b\":1,\"a\":2}", "\"\\u0041\"", "\"\\/\"", "\"\\u000A\"", "[1]\n", "\"\\u001F\""]
    {
        assert_eq!(json::parse_canonical(input.as_bytes()), Err(JsonError::NotCanonical), "{input}");
    }
}

#[test]
fn rust_values() {
    assert_eq!(json::canonical_of(&1.5), Err(JsonError::Float));
    assert_eq!(json::canonical_of(&u64::MAX), Err(JsonError::IntegerTooLarge));
    assert_eq!(json::canonical_of(&i64::MIN), Err(JsonError::IntegerTooLarge));
    assert_eq!(json::canonical_of(&(1, "a", None::<u8>)).unwrap(), r#"[1,"a",null]"#);
    let structured_key = std::collections::BTreeMap::from([(vec![1], 1)]);
    assert!(matches!(json::canonical_of(&structured_key), Err(JsonError::Unrepresentable(_))));
}

#[test]
fn a_canonical_document_travels_as_a_string() {
    let document = Canonical::parse(br#"{"a":[1,"x"]}"#).unwrap();
    let sent = serde_json::to_string(&document).unwrap();
    assert_eq!(sent, r#""{\"a\":[1,\"x\"]}""#);
    assert_eq!(serde_json::from_str::<Canonical>(&sent).unwrap(), document);
    assert!(serde_json::from_str::<Canonical>(r#""{ }""#).is_err());
    assert!(serde_json::from_str::<Canonical>(r#"{"a":[1,"x"]}"#).is_err());
    assert_eq!(document.digest(), Sha256::of(br#"{"a":[1,"x"]}"#));
    assert_eq!(document.value(), serde_json::json!({"a": [1, "x"]}));
    assert_eq!(document.decode::<Value>().unwrap(), document.value());
    assert!(document.decode::<Vec<u8>>().is_err());
}

fn any_document() -> impl Strategy<Value = Value> {
    let integer = -json::MAX_INTEGER..=json::MAX_INTEGER;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        integer.prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn is_written_again(bytes: &[u8]) -> bool {
    json::parse(bytes)
        .and_then(|value| json::to_canonical(&value))
        .is_ok_and(|written| written.as_bytes() == bytes)
}

proptest! {
    #[test]
    fn canonical_form_is_stable_and_lossless(value in any_document()) {
        let text = json::to_canonical(&value).unwrap();
        prop_assert_eq!(json::parse_canonical(text.as_bytes()).unwrap(), value.clone());
        // Another reader sees the same document, in any spelling of it.
        prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value.clone());
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        prop_assert_eq!(json::parse(pretty.as_bytes()).unwrap(), value);
    }

    // The check that builds nothing says what reading and writing again would say.
    #[test]
    fn the_check_is_reading_and_writing(value in any_document(), at in any::<prop::sample::Index>(), with in any::<Option<u8>>(), insert in any::<bool>()) {
        let mut bytes = json::to_canonical(&value).unwrap().into_bytes();
        prop_assert!(json::is_canonical(&bytes));
        let at = at.index(bytes.len());
        match (with, insert) {
            (Some(byte), true) => bytes.insert(at, byte),
            (Some(byte), false) => bytes[at] = byte,
            (None, _) => { bytes.remove(at); }
        }
        prop_assert_eq!(json::is_canonical(&bytes), is_written_again(&bytes));
    }

    #[test]
    fn the_check_of_any_text(text in r#"([\[\]{}:,"\\u0-9a-fnrt\u{1}é😀 eE.+-]|"[a-c]":|\\u00[01][0-9a-f]|\\[bfnrt"/\\]){0,16}"#) {
        for text in [format!("\"{text}\""), format!("{{\"a\":1,{text}}}"), text] {
            prop_assert_eq!(json::is_canonical(text.as_bytes()), is_written_again(text.as_bytes()));
        }
    }

    #[test]
    fn reading_never_accepts_what_serde_refuses(bytes in r#"[\[\]{}:,"\\u0-9a-f eE.+-]{0,24}"#) {
        if let Ok(value) = json::parse(bytes.as_bytes()) {
            prop_assert_eq!(serde_json::from_str::<Value>(&bytes).unwrap(), value);
        }
    }
}
