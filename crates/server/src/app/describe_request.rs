//! What approvers are told of a request besides what was signed: pure functions of what stands recorded.

use chancery_api::request::Difference;
use chancery_policy::blast_radius;
use serde_json::{Map, Value};

/// Between the words of a subject.
const BETWEEN: &str = " · ";
/// Longest subject, in characters.
const MAX_SUBJECT: usize = 120;
/// Most differences that are told.
const MOST_DIFFERENCES: usize = 3;
/// From so many requests within a day on they can be many.
const MANY_A_DAY: u64 = 5;
/// They are, when they are more than so many times what the last 90 days had each day.
const MANY_TIMES: u64 = 3;
/// From so many grants of one entitlement on it can be told which lengths are usual.
const USUAL_FROM: u64 = 3;
/// A grant is long, when it is more than so many times the longest one of the last 90 days.
const LONG_TIMES: u64 = 2;

/// The main parameters in a few words: those that the entitlement's form requires, in its order; all, where it requires
/// none.
pub fn subject(parameters: &Map<String, Value>, entitlement: &Value) -> String {
    let mut named = required(entitlement);
    if named.is_empty() {
        named = parameters.keys().map(String::as_str).collect();
    }
    shortened(&words(&named, parameters).join(BETWEEN))
}

/// Whether no other parameters have this subject. One that was cut, in which something was replaced, or that looks like
/// the words of others, could be made to pass for a usual one.
pub fn tells_apart(subject: &str, parameters: &Map<String, Value>, entitlement: &Value) -> bool {
    let named = required(entitlement);
    let words = words(&named, parameters);
    let plain = |word: &String| !word.contains(['·', '…', '\u{fffd}']);
    !named.is_empty()
        && words.len() == named.len()
        && words.iter().all(plain)
        && words.join(BETWEEN) == subject
}

fn required(entitlement: &Value) -> Vec<&str> {
    let names = entitlement.pointer("/form/required").and_then(Value::as_array).into_iter().flatten();
    names.filter_map(Value::as_str).collect()
}

fn words(named: &[&str], parameters: &Map<String, Value>) -> Vec<String> {
    named.iter().filter_map(|name| parameters.get(*name)).filter_map(word).collect()
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// On one line, and without characters that turn text around or cannot be seen.
fn shortened(text: &str) -> String {
    let plain = |c: char| if c.is_control() || is_invisible(c) { '\u{fffd}' } else { c };
    let mut short: String = text.chars().take(MAX_SUBJECT).map(plain).collect();
    if text.chars().count() > MAX_SUBJECT {
        short.pop();
        short.push('…');
    }
    short
}

/// Marks of direction, joiners and other characters without a shape (Unicode UAX #9, general category Cf).
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// What a request reaches, as its entitlement said when policy was asked.
pub fn reach(input: &Value) -> Vec<String> {
    let parameters = input.pointer("/request/parameters").and_then(Value::as_object);
    let told = input.get("entitlement").zip(parameters);
    told.map(|(entitlement, parameters)| blast_radius(entitlement, parameters)).unwrap_or_default()
}

/// How a request differs from what is usual for its requester. What is unknown is no difference.
pub fn unusual(input: &Value) -> Vec<Difference> {
    let told = [
        new_origin(input),
        refused_lately(input),
        first_time(input),
        new_subject(input),
        long_grant(input),
        off_hours(input),
        many_requests(input),
    ];
    told.into_iter().flatten().take(MOST_DIFFERENCES).collect()
}

fn difference(code: &str, message: String) -> Option<Difference> {
    Some(Difference { code: code.to_owned(), message })
}

fn new_origin(input: &Value) -> Option<Difference> {
    let origin = input.pointer("/signals/origin")?;
    let known = origin.get("status").and_then(Value::as_str) == Some("known");
    let new = known && origin.pointer("/value/new").and_then(Value::as_bool) == Some(true);
    new.then(|| difference("new_origin", "the requester was not known to come from this address".to_owned()))?
}

fn off_hours(input: &Value) -> Option<Difference> {
    let calendar = input.get("calendar")?;
    if calendar.get("working_hours").and_then(Value::as_bool) != Some(false) {
        return None;
    }
    let hour = calendar.get("hour").and_then(Value::as_u64)?;
    let (weekday, zone) = (calendar.get("weekday")?.as_str()?, calendar.get("timezone")?.as_str()?);
    let own = input.pointer("/requester/attributes/timezone").and_then(Value::as_str) == Some(zone);
    let place = if own { "where the requester is" } else { "at the organisation's place" };
    let message =
        format!("it was {hour:02}:00 to {hour:02}:59 on a {weekday} {place} ({zone}), not working time");
    difference("off_hours", message)
}

fn count(input: &Value, name: &str) -> Option<u64> {
    input.get("history")?.get(name)?.as_u64()
}

fn refused_lately(input: &Value) -> Option<Difference> {
    let counts = ["denied_24h", "rejected_24h", "revoked_24h"].map(|name| count(input, name).unwrap_or(0));
    let refused = counts.into_iter().fold(0, u64::saturating_add);
    let message = match refused {
        0 => return None,
        1 => {
            "one of the requester's requests of the last 24 hours was denied, rejected or revoked".to_owned()
        }
        many => format!(
            "{many} of the requester's requests of the last 24 hours were denied, rejected or revoked"
        ),
    };
    difference("refused_lately", message)
}

fn many_requests(input: &Value) -> Option<Difference> {
    let (day, quarter) = (count(input, "requests_24h")?, count(input, "requests_90d")?);
    let many = day >= MANY_A_DAY && day.saturating_mul(90) > quarter.saturating_mul(MANY_TIMES);
    let message = format!("the requester made {day} requests within 24 hours, and {quarter} within 90 days");
    many.then(|| difference("many_requests", message))?
}

fn first_time(input: &Value) -> Option<Difference> {
    let first = count(input, "granted_same_90d")? == 0;
    let message = "the requester was not granted this entitlement in the last 90 days".to_owned();
    first.then(|| difference("first_time", message))?
}

fn new_subject(input: &Value) -> Option<Difference> {
    let (same, there) = (count(input, "granted_same_90d")?, count(input, "granted_subject_90d")?);
    let parameters = input.pointer("/request/parameters").and_then(Value::as_object)?;
    let subject = subject(parameters, input.get("entitlement")?);
    let message =
        format!("the requester was granted this entitlement in the last 90 days, but not for {subject}");
    (same > 0 && there == 0 && !subject.is_empty()).then(|| difference("new_subject", message))?
}

fn long_grant(input: &Value) -> Option<Difference> {
    let (grants, longest) = (count(input, "granted_same_90d")?, count(input, "longest_grant_seconds_90d")?);
    let asked = input.pointer("/request/clocks/grant_seconds").and_then(Value::as_u64)?;
    let long = grants >= USUAL_FROM && asked > longest.saturating_mul(LONG_TIMES);
    let message = format!(
        "it is for {}, and the longest of the requester's {grants} grants of this in the last 90 days was for {}",
        minutes(asked),
        minutes(longest)
    );
    long.then(|| difference("long_grant", message))?
}

/// A length of time in whole minutes, those begun counted.
fn minutes(seconds: u64) -> String {
    match seconds.div_ceil(60) {
        1 => "1 minute".to_owned(),
        many => format!("{many} minutes"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{reach, subject, tells_apart, unusual};

    fn usual() -> Value {
        json!({
            "request": {"revision": 1, "parameters": {"host": "db-1", "environment": "production"},
                "clocks": {"grant_seconds": 900}},
            "entitlement": {"form": {"required": ["host", "environment"]},
                "blast_radius": ["everything on {host}", "reached through {jump}"]},
            "requester": {"attributes": {"timezone": "Asia/Tokyo"}},
            "signals": {"origin": {"status": "known", "value": {"new": false}}},
            "calendar": {"working_hours": true, "hour": 10, "weekday": "monday", "timezone": "Asia/Tokyo"},
            "history": {"requests_24h": 1, "requests_90d": 40, "denied_24h": 0, "granted_same_90d": 3,
                "granted_subject_90d": 2, "longest_grant_seconds_90d": 900}
        })
    }

    fn codes(change: impl FnOnce(&mut Value)) -> String {
        let mut input = usual();
        change(&mut input);
        unusual(&input).iter().map(|one| one.code.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn only_what_is_recorded_is_a_difference() {
        assert_eq!(codes(|_| {}), "");
        assert_eq!(unusual(&json!({})), []);
        assert_eq!(codes(|input| input["signals"]["origin"]["value"]["new"] = json!(true)), "new_origin");
        assert_eq!(codes(|input| input["signals"]["origin"] = json!({"status": "unknown"})), "");
        assert_eq!(codes(|input| input["history"]["revoked_24h"] = json!(2)), "refused_lately");
        assert_eq!(codes(|input| input["history"]["requests_24h"] = json!(5)), "many_requests");
        assert_eq!(
            codes(|input| {
                input["history"]["requests_24h"] = json!(5);
                input["history"]["requests_90d"] = json!(300);
            }),
            ""
        );
        assert_eq!(codes(|input| input["history"]["granted_subject_90d"] = json!(0)), "new_subject");
        assert_eq!(
            codes(|input| {
                input["history"]["granted_same_90d"] = json!(0);
                input["history"]["granted_subject_90d"] = json!(0);
            }),
            "first_time"
        );
        let asks = |seconds: u64| {
            move |input: &mut Value| input["request"]["clocks"]["grant_seconds"] = json!(seconds)
        };
        assert_eq!(codes(asks(1800)), "");
        assert_eq!(codes(asks(1801)), "long_grant");
        // Of two grants nobody can tell what is usual.
        assert_eq!(
            codes(|input| {
                asks(7200)(input);
                input["history"]["granted_same_90d"] = json!(2);
            }),
            ""
        );
    }

    #[test]
    fn a_difference_says_what_and_from_what() {
        let mut input = usual();
        input["history"]["granted_subject_90d"] = json!(0);
        input["request"]["clocks"]["grant_seconds"] = json!(7200);
        let said: Vec<String> = unusual(&input).into_iter().map(|one| one.message).collect();
        assert_eq!(
            said,
            [
                "the requester was granted this entitlement in the last 90 days, but not for db-1 · production",
                "it is for 120 minutes, and the longest of the requester's 3 grants of this in the last 90 days was \
                 for 15 minutes"
            ]
        );
    }

    #[test]
    fn of_many_differences_three_are_told() {
        let all = codes(|input| {
            input["signals"]["origin"]["value"]["new"] = json!(true);
            input["calendar"]["working_hours"] = json!(false);
            input["history"] =
                json!({"requests_24h": 9, "requests_90d": 9, "granted_same_90d": 0, "denied_24h": 1});
        });
        assert_eq!(all, "new_origin refused_lately first_time");
    }

    #[test]
    fn the_hour_is_told_with_its_zone_and_whose_it_is() {
        let mut input = usual();
        input["calendar"] =
            json!({"working_hours": false, "hour": 3, "weekday": "sunday", "timezone": "Asia/Tokyo"});
        let message = unusual(&input)[0].message.clone();
        assert_eq!(
            message,
            "it was 03:00 to 03:59 on a sunday where the requester is (Asia/Tokyo), not working time"
        );
        input["calendar"]["timezone"] = json!("UTC");
        assert!(unusual(&input)[0].message.contains("at the organisation's place (UTC)"));
    }

    #[test]
    fn no_other_host_passes_for_a_usual_one() {
        let form = json!({"form": {"required": ["host", "environment"]}});
        let tells = |host: &str, environment: &str| {
            let parameters = json!({"host": host, "environment": environment, "note": "x"});
            let parameters = parameters.as_object().unwrap();
            tells_apart(&subject(parameters, &form), parameters, &form)
        };
        assert!(tells("db-1", "production"));
        let long = "a".repeat(200);
        for (host, environment) in [
            // cut, replaced, cut by hand, replaced by hand, two words for one
            (long.as_str(), "production"),
            ("db\u{200b}-1", "production"),
            ("db-1…", "production"),
            ("db\u{fffd}-1", "production"),
            ("db-1 · production", "x"),
        ] {
            assert!(!tells(host, environment), "{host} {environment}");
        }
        // Where the form requires nothing, a word does not say of what it is.
        let parameters = json!({"host": "db-1"});
        let parameters = parameters.as_object().unwrap();
        assert!(!tells_apart(&subject(parameters, &json!({})), parameters, &json!({})));
    }

    #[test]
    fn a_subject_is_one_line_of_what_the_form_requires() {
        let of = |parameters: Value, required: Value| {
            subject(parameters.as_object().unwrap(), &json!({"form": {"required": required}}))
        };
        let parameters = json!({"a": "x", "host": "db-1", "environment": "staging", "list": [1], "count": 3});
        assert_eq!(of(parameters.clone(), json!(["host", "environment"])), "db-1 · staging");
        assert_eq!(of(parameters, json!([])), "x · 3 · staging · db-1");
        assert_eq!(of(json!({"host": "a\nb\u{202e}c"}), json!(["host"])), "a\u{fffd}b\u{fffd}c");
        let long = of(json!({"host": "x".repeat(500)}), json!(["host"]));
        assert!(long.chars().count() == 120 && long.ends_with('…'), "{long}");
    }

    #[test]
    fn a_sentence_without_its_parameter_is_left_out() {
        assert_eq!(reach(&usual()), ["everything on db-1"]);
        assert_eq!(reach(&json!({})), Vec::<String>::new());
    }
}
