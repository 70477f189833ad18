//! Policy modules and command lines.

use std::path::Path;

use super::Seeds;

pub fn seeds(seeds: &mut Seeds) {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies/chancery");
    for folder in ["rules", "lib"] {
        for file in std::fs::read_dir(rules.join(folder)).unwrap().map(Result::unwrap) {
            let name = file.file_name().into_string().unwrap().replace(".rego", "");
            seeds.add("policy_module", &name, std::fs::read(file.path()).unwrap());
        }
    }
    for (name, text) in [
        (
            "alert",
            "alert contains {\"reason\": \"often\", \"count\": n} if {\n\tn := input.counts.requests_1h\n\tn > 2\n}\n",
        ),
        ("function", "double(x) := y if y := x * 2\n\nalert contains double(input.counts.requests_1h)\n"),
        (
            "some",
            "violation contains word if {\n\tsome word in split(input.text, \" \")\n\tnot startswith(word, \"b\")\n}\n",
        ),
        (
            "every",
            "alert contains \"all\" if every x in [1, 2] { x > 0 }\n\ndefault z := 1\n\nz := 2 if input.no\n",
        ),
        (
            "else",
            "r := 1 if input.no\nelse := {x | some x in [1, 2]} if true\n\nalert contains r with input as {\"no\": 1}\n",
        ),
        ("sets", "alert contains ({1, 2} | {3}) & {x | x := 3} if -1 < 2 % 3\n"),
        (
            "builtins",
            "alert contains sprintf(\"%v %d\", [regex.match(`^a+$`, input.text), count(input.counts)])\n",
        ),
        (
            "objects",
            "alert contains object.union({\"a\": [1]}, {\"b\": {k: v | some k, v in input.counts}})\n",
        ),
    ] {
        seeds.add("policy_module", name, format!("package chancery\n\nimport rego.v1\n\n{text}"));
    }
    for (name, text) in [
        ("seconds", "15m\n1h30m\n90s"),
        ("times", "2026-11-22T12:00:00Z\n2026-11-22T12:00:00+01:00"),
        ("fields", "string=a=b\ninteger=7\nnumber=1.5\nboolean=true\narray=[1,\"a\"]\nobject={\"a\":null}"),
        ("other", "host=web-1.example\nprincipal=deploy"),
        ("twice", "host=a\nhost=b"),
        ("refused", "tomorrow"),
    ] {
        seeds.add("arguments", name, text);
    }
}
